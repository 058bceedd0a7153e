#include "adze/rewrite/rules/fold_bias.h"

#include "adze/base/text.h"
#include "adze/rewrite/constants.h"
#include "adze/rewrite/linear_layer.h"

namespace adze::rewrite {

namespace {

std::optional<GraphEdit> fold_bias(const RuleContext& context, NodeId id) {
  const Node& node = context.node(id);
  const bool is_swapped = node.kind == OpKind::Add && context.graph.constant(node.input(0)) != nullptr;
  const Tensor* constant = context.graph.constant(node.input(is_swapped ? 0 : 1));
  if (constant == nullptr) return std::nullopt;
  const auto layer = linear_layer_before(context, node.input(is_swapped ? 1 : 0));
  if (!layer || layer->kind == OpKind::MatMul) return std::nullopt;
  const auto offsets = per_channel(*constant, layer->channels, layer->rank, layer->channel_axis);
  if (!offsets) return std::nullopt;
  std::vector<double> bias = layer->bias_values;
  for (std::size_t c = 0; c < bias.size(); ++c) bias[c] += node.kind == OpKind::Sub ? -(*offsets)[c] : (*offsets)[c];
  GraphEdit edit(context.graph, cat(node.name, " joins ", context.node(layer->id).name));
  change_layer(edit, context, *layer, std::nullopt, bias);
  edit.replace(node.output(), layer->output);
  return edit;
}

}  // namespace

std::vector<Rule> fold_bias_rules() {
  return {{"fold-bias", Exactness::Rounding, {OpKind::Add, OpKind::Sub}, fold_bias}};
}

}  // namespace adze::rewrite
