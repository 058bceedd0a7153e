#include "adze/rewrite/rules/fold_scale.h"

#include "adze/base/text.h"
#include "adze/rewrite/constants.h"
#include "adze/rewrite/linear_layer.h"

namespace adze::rewrite {

namespace {

std::optional<GraphEdit> fold_scale(const RuleContext& context, NodeId id) {
  const Node& node = context.node(id);
  const bool is_swapped = node.kind == OpKind::Mul && context.graph.constant(node.input(0)) != nullptr;
  const Tensor* constant = context.graph.constant(node.input(is_swapped ? 0 : 1));
  if (constant == nullptr) return std::nullopt;
  const auto layer = linear_layer_before(context, node.input(is_swapped ? 1 : 0));
  if (!layer) return std::nullopt;
  auto factors = per_channel(*constant, layer->channels, layer->rank, layer->channel_axis);
  if (!factors) return std::nullopt;
  std::vector<double> bias;
  for (std::size_t c = 0; c < factors->size(); ++c) {
    double& factor = (*factors)[c];
    if (node.kind == OpKind::Div) factor = 1 / factor;
    if (layer->bias != nullptr) bias.push_back(layer->bias_values[c] * factor);
  }
  if (!all_finite(*factors)) return std::nullopt;
  GraphEdit edit(context.graph, cat(node.name, " joins ", context.node(layer->id).name));
  change_layer(edit, context, *layer, with_scaled_outputs(*layer, context.node(layer->id), *factors), bias);
  edit.replace(node.output(), layer->output);
  return edit;
}

}  // namespace

std::vector<Rule> fold_scale_rules() {
  return {{"fold-scale", Exactness::Rounding, {OpKind::Mul, OpKind::Div}, fold_scale}};
}

}  // namespace adze::rewrite
