#include "adze/rewrite/linear_layer.h"

#include "adze/base/text.h"
#include "adze/rewrite/constants.h"

namespace adze::rewrite {

namespace {

bool is_own(const RuleContext& context, ValueId id) {
  const Tensor* constant = context.graph.constant(id);
  return constant != nullptr && is_float(constant->dtype()) && context.uses.single(id);
}

bool describe(const RuleContext& context, const Node& node, LinearLayer& layer) {
  const Tensor& weight = *layer.weight;
  layer.rank = weight.rank();
  layer.channel_axis = 1;
  switch (node.kind) {
    case OpKind::Conv:
      layer.channels = weight.rank() >= 3 ? weight.dim(0) : 0;
      break;
    case OpKind::ConvTranspose:
      layer.channels = weight.rank() >= 3 ? weight.dim(1) * node.get_int("group") : 0;
      break;
    case OpKind::Gemm: {
      const bool is_plain = node.get_float("alpha") == 1 && node.get_float("beta") == 1 && node.get_int("transA") == 0;
      if (!is_plain || weight.rank() != 2) return false;
      layer.channels = weight.dim(node.get_int("transB") != 0 ? 0 : 1);
      break;
    }
    case OpKind::MatMul: {
      const auto rank = context.rank(node.input(0));
      if (weight.rank() != 2 || !rank || *rank < 2) return false;
      layer.channels = weight.dim(1);
      layer.rank = *rank;
      layer.channel_axis = *rank - 1;
      break;
    }
    default:
      return false;
  }
  return layer.channels > 0;
}

}  // namespace

std::optional<LinearLayer> linear_layer(const RuleContext& context, NodeId id) {
  const Node& node = context.node(id);
  LinearLayer layer;
  layer.id = id;
  layer.kind = node.kind;
  layer.output = node.output();
  if (!is_own(context, node.input(1))) return std::nullopt;
  layer.weight = context.graph.constant(node.input(1));
  if (!describe(context, node, layer)) return std::nullopt;
  layer.bias_values.assign(static_cast<std::size_t>(layer.channels), 0.0);
  if (node.input(2) == ValueId::None) return layer;
  layer.bias = context.graph.constant(node.input(2));
  if (layer.bias == nullptr) return std::nullopt;
  const bool is_gemm = node.kind == OpKind::Gemm;
  auto values = per_channel(*layer.bias, layer.channels, is_gemm ? 2 : 1, is_gemm ? 1 : 0);
  if (!values) return std::nullopt;
  layer.bias_values = std::move(*values);
  return layer;
}

std::optional<LinearLayer> linear_layer_before(const RuleContext& context, ValueId value) {
  if (value == ValueId::None || !context.uses.single(value)) return std::nullopt;
  const NodeId producer = context.graph.value(value).producer;
  if (producer == NodeId::None) return std::nullopt;
  return linear_layer(context, producer);
}

Tensor with_scaled_outputs(const LinearLayer& layer, const Node& node, std::span<const double> factors) {
  std::vector<double> values = to_doubles(*layer.weight);
  const Shape& shape = layer.weight->shape();
  const auto size = static_cast<std::int64_t>(values.size());
  const auto channel_of = [&](std::int64_t i) -> std::int64_t {
    switch (layer.kind) {
      case OpKind::Conv:
        return i / (size / shape[0]);
      case OpKind::ConvTranspose: {
        const std::int64_t group = node.get_int("group"), spatial = size / shape[0] / shape[1];
        const std::int64_t in = i / (spatial * shape[1]), out = i / spatial % shape[1];
        return in / (shape[0] / group) * shape[1] + out;
      }
      case OpKind::Gemm:
        return node.get_int("transB") != 0 ? i / shape[1] : i % shape[1];
      default:
        return i % shape[1];
    }
  };
  for (std::int64_t i = 0; i < size; ++i)
    values[static_cast<std::size_t>(i)] *= factors[static_cast<std::size_t>(channel_of(i))];
  return from_doubles(layer.weight->dtype(), shape, values);
}

void change_layer(GraphEdit& edit, const RuleContext& context, const LinearLayer& layer, std::optional<Tensor> weight,
                  std::span<const double> bias) {
  const Node& node = context.node(layer.id);
  if (weight)
    edit.set_input(layer.id, 1, edit.add_constant(context.graph.value(node.input(1)).name, std::move(*weight)));
  if (bias.empty()) return;
  const DType dtype = layer.bias != nullptr ? layer.bias->dtype() : layer.weight->dtype();
  const std::string name = layer.bias != nullptr ? context.graph.value(node.input(2)).name : cat(node.name, "_bias");
  edit.set_input(layer.id, 2, edit.add_constant(name, from_doubles(dtype, {layer.channels}, bias)));
}

}  // namespace adze::rewrite
