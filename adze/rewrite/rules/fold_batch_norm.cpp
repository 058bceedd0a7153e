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
  return (mode != "NOTSET" && mode != "VALID") ||
         std::any_of(pads.begin(), pads.end(), [](auto pad) { return pad != 0; });
}

/// The input channel that each weight multiplies, and the output channel that it adds to.
struct WeightPlace {
  std::int64_t in, out;
};

WeightPlace place_of_weight(const LinearLayer& layer, const Node& node, std::int64_t index) {
  const Shape& shape = layer.weight->shape();
  if (layer.kind == OpKind::Gemm) {
    const bool is_transposed = node.get_int("transB") != 0;
    const std::int64_t row = index / shape[1], column = index % shape[1];
    return is_transposed ? WeightPlace{column, row} : WeightPlace{row, column};
  }
  const std::int64_t spatial = layer.weight->size() / shape[0] / shape[1];
  const std::int64_t out = index / (spatial * shape[1]), out_a_group = shape[0] / node.get_int("group");
  return {out / out_a_group * shape[1] + index / spatial % shape[1], out};
}

/// layer(a·x + c) = layer'(x): the weights of input channel i times a[i], and to the bias the sum of W·c.
std::optional<GraphEdit> fold_into_layer_after(const RuleContext& context, NodeId id) {
  const Node& norm = context.node(id);
  const Node* next = context.only_reader(norm.output());
  if (next == nullptr || next->input(0) != norm.output()) return std::nullopt;
  const bool fits = next->kind == OpKind::Gemm || (next->kind == OpKind::Conv && !has_padding(*next));
  const auto layer = fits ? linear_layer(context, context.graph.value(next->output()).producer) : std::nullopt;
  const auto affine = layer ? affine_of(context, norm) : std::nullopt;
  if (!affine || layer->weight->empty()) return std::nullopt;
  std::vector<double> weights = to_doubles(*layer->weight), bias = layer->bias_values;
  for (std::int64_t i = 0; i < std::ssize(weights); ++i) {
    const WeightPlace place = place_of_weight(*layer, *next, i);
    if (place.in >= std::ssize(affine->factor)) return std::nullopt;
    double& weight = weights[static_cast<std::size_t>(i)];
    bias[static_cast<std::size_t>(place.out)] += weight * affine->offset[static_cast<std::size_t>(place.in)];
    weight *= affine->factor[static_cast<std::size_t>(place.in)];
  }
  GraphEdit edit(context.graph, cat(norm.name, " joins ", next->name));
  change_layer(edit, context, *layer, from_doubles(layer->weight->dtype(), layer->weight->shape(), weights), bias);
  edit.set_input(layer->id, 0, norm.input(0));
  return edit;
}

}  // namespace

std::vector<Rule> fold_batch_norm_rules() {
  return {
      {"fold-batch-norm-into-layer", Exactness::Rounding, {OpKind::BatchNormalization}, fold_into_layer_before},
      {"fold-batch-norm-into-next-layer", Exactness::Rounding, {OpKind::BatchNormalization}, fold_into_layer_after}};
}

}  // namespace adze::rewrite
