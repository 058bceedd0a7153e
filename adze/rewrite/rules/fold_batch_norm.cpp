#include "adze/rewrite/rules/fold_batch_norm.h"

#include <algorithm>
#include <cmath>

#include "adze/base/text.h"
#include "adze/rewrite/constants.h"
#include "adze/rewrite/linear_layer.h"

namespace adze::rewrite {

namespace {

/// y = factor · x + offset for each channel.
struct Affine {
  std::vector<double> factor, offset;
};

std::optional<Affine> affine_of(const RuleContext& context, const Node& norm) {
  if (norm.get_int("training_mode") != 0) return std::nullopt;
  for (std::size_t i = 1; i < norm.outputs.size(); ++i) {
    if (norm.outputs[i] != ValueId::None && !context.uses.none(norm.outputs[i])) return std::nullopt;
  }
  std::vector<std::vector<double>> parameters;
  for (std::size_t i = 1; i < 5; ++i) {
    const Tensor* constant = context.graph.constant(norm.input(i));
    if (constant == nullptr || !is_float(constant->dtype())) return std::nullopt;
    parameters.push_back(to_doubles(*constant));
    if (parameters.back().size() != parameters.front().size()) return std::nullopt;
  }
  const double epsilon = norm.get_float("epsilon");
  Affine affine{parameters[0], parameters[1]};
  for (std::size_t c = 0; c < affine.factor.size(); ++c) {
    affine.factor[c] = parameters[0][c] / std::sqrt(parameters[3][c] + epsilon);
    affine.offset[c] = parameters[1][c] - parameters[2][c] * affine.factor[c];
  }
  if (!all_finite(affine.factor) || !all_finite(affine.offset)) return std::nullopt;
  return affine;
}

std::optional<GraphEdit> fold_into_layer_before(const RuleContext& context, NodeId id) {
  const Node& norm = context.node(id);
  const auto layer = linear_layer_before(context, norm.input(0));
  if (!layer || layer->kind == OpKind::MatMul) return std::nullopt;
  const auto affine = affine_of(context, norm);
  if (!affine || std::ssize(affine->factor) != layer->channels) return std::nullopt;
  std::vector<double> bias(affine->factor.size());
  for (std::size_t c = 0; c < bias.size(); ++c) bias[c] = layer->bias_values[c] * affine->factor[c] + affine->offset[c];
  GraphEdit edit(context.graph, cat(norm.name, " joins ", context.node(layer->id).name));
  change_layer(edit, context, *layer, with_scaled_outputs(*layer, context.node(layer->id), affine->factor), bias);
  edit.replace(norm.output(), layer->output);
  return edit;
}

bool has_padding(const Node& conv) {
  const std::string mode = conv.get_string("auto_pad");
  const auto pads = conv.get_ints("pads");
  return (mode != "NOTSET" && mode != "VALID") || std::any_of(pads.begin(), pads.end(), [](auto pad) { return pad != 0; });
}

/// Conv(a·x + c) = Conv'(x): the weights of input channel i times a[i], and to the bias the sum of W·c.
std::optional<GraphEdit> fold_into_conv_after(const RuleContext& context, NodeId id) {
  const Node& norm = context.node(id);
  const Node* conv = context.only_reader(norm.output());
  if (conv == nullptr || conv->kind != OpKind::Conv || conv->input(0) != norm.output() || has_padding(*conv)) {
    return std::nullopt;
  }
  const auto layer = linear_layer(context, context.graph.value(conv->output()).producer);
  const auto affine = affine_of(context, norm);
  if (!layer || !affine) return std::nullopt;
  const Shape& shape = layer->weight->shape();
  const std::int64_t group = conv->get_int("group"), out_a_group = shape[0] / group;
  if (shape[1] * group != std::ssize(affine->factor)) return std::nullopt;
  std::vector<double> weights = to_doubles(*layer->weight), bias = layer->bias_values;
  const std::int64_t spatial = std::ssize(weights) / shape[0] / shape[1];
  for (std::int64_t i = 0; i < std::ssize(weights); ++i) {
    const std::int64_t out = i / (spatial * shape[1]);
    const auto in = static_cast<std::size_t>(out / out_a_group * shape[1] + i / spatial % shape[1]);
    double& weight = weights[static_cast<std::size_t>(i)];
    bias[static_cast<std::size_t>(out)] += weight * affine->offset[in];
    weight *= affine->factor[in];
  }
  GraphEdit edit(context.graph, cat(norm.name, " joins ", conv->name));
  change_layer(edit, context, *layer, from_doubles(layer->weight->dtype(), shape, weights), bias);
  edit.set_input(layer->id, 0, norm.input(0));
  return edit;
}

}  // namespace

std::vector<Rule> fold_batch_norm_rules() {
  return {
      {"fold-batch-norm-into-layer", Exactness::Rounding, {OpKind::BatchNormalization}, fold_into_layer_before},
      {"fold-batch-norm-into-next-conv", Exactness::Rounding, {OpKind::BatchNormalization}, fold_into_conv_after}};
}

}  // namespace adze::rewrite
