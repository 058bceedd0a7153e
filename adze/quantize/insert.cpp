#include "adze/quantize/insert.h"

#include <algorithm>

#include "adze/base/text.h"

namespace adze::quantize {

ValueId Inserter::row_scale(ValueId value, const std::string& name, double largest_code, float least) {
  const auto number = [&](std::string_view what, float x) { return constant(cat(name, "_", what), Tensor::scalar(x)); };
  const ValueId axes = constant(cat(name, "_axes"), Tensor::ints({-1}));
  const ValueId magnitudes = node(OpKind::Abs, {value}, cat(name, "_magnitudes"));
  const ValueId largest = node(OpKind::ReduceMax, {magnitudes, axes}, cat(name, "_largest"));
  const ValueId per_code = number("per_code", static_cast<float>(1 / largest_code));
  const ValueId step = node(OpKind::Mul, {largest, per_code}, cat(name, "_step"));
  return node(OpKind::Max, {step, number("least", least)}, cat(name, "_scale"));
}

Tensor integer_tensor(DType dtype, const Shape& shape, std::int64_t value) {
  Tensor tensor(dtype, shape);
  for (std::int64_t i = 0; i < tensor.size(); ++i) tensor.set_int(i, value);
  return tensor;
}

Inserter::Inserter(Graph& graph) : graph_(graph) {
  for (std::int32_t i = 0; i < graph.num_values(); ++i) names_.insert(graph.value(static_cast<ValueId>(i)).name);
  for (const NodeId id : graph.node_ids()) names_.insert(graph.node(id).name);
}

std::string Inserter::unique_name(std::string name) {
  if (names_.insert(name).second) return name;
  for (int i = 1;; ++i) {
    std::string candidate = cat(name, "_", i);
    if (names_.insert(candidate).second) return candidate;
  }
}

void Inserter::rename(ValueId id, std::string name) {
  names_.insert(name);
  graph_.value(id).name = std::move(name);
}

ValueId Inserter::constant(std::string name, Tensor tensor) {
  return graph_.add_constant(unique_name(std::move(name)), std::move(tensor));
}

ValueId Inserter::node(OpKind kind, std::vector<ValueId> inputs, std::string name,
                       std::vector<std::pair<std::string, Attribute>> attributes) {
  Node node;
  node.kind = kind;
  node.name = unique_name(name);
  node.inputs = std::move(inputs);
  for (auto& [key, value] : attributes) node.set(std::move(key), std::move(value));
  const ValueId output = graph_.add_value(unique_name(cat(name, "_output")));
  node.outputs = {output};
  graph_.add_node(std::move(node));
  return output;
}

ValueId Inserter::dequantized_constant(std::string name, Tensor codes, const TensorScales& scales) {
  const Shape shape = scales.axis ? Shape{static_cast<std::int64_t>(scales.scales.size())} : Shape{};
  Tensor steps(DType::F32, shape);
  Tensor zero_points(codes.dtype(), shape);
  bool all_zero = true;
  for (std::size_t i = 0; i < scales.scales.size(); ++i) {
    steps.mutable_data<float>()[i] = scales.scales[i].scale;
    zero_points.set_int(static_cast<std::int64_t>(i), scales.scales[i].zero_point);
    all_zero = all_zero && scales.scales[i].zero_point == 0;
  }
  // Stored weights always state their zero point (older runtimes want it); a bias of 32 bits may have none.
  const bool bias = codes.dtype() == DType::S32;
  std::vector<ValueId> inputs{constant(cat(name, "_quantized"), std::move(codes)),
                              constant(cat(name, "_scale"), steps)};
  if (!(bias && all_zero)) inputs.push_back(constant(cat(name, "_zero_point"), zero_points));
  std::vector<std::pair<std::string, Attribute>> attributes;
  if (scales.axis) attributes.emplace_back("axis", *scales.axis);
  return node(OpKind::DequantizeLinear, std::move(inputs), cat(name, "_dequantize"), std::move(attributes));
}

Inserter::Pair Inserter::quantize_dequantize(ValueId value, const AffineScale& affine, DType dtype) {
  const std::string name = graph_.value(value).name;
  const ValueId scale = constant(cat(name, "_scale"), Tensor::scalar(affine.scale));
  const ValueId zero_point = constant(cat(name, "_zero_point"), integer_tensor(dtype, {}, affine.zero_point));
  Pair pair{};
  pair.quantized = node(OpKind::QuantizeLinear, {value, scale, zero_point}, cat(name, "_quantize"));
  pair.dequantized = node(OpKind::DequantizeLinear, {pair.quantized, scale, zero_point}, cat(name, "_dequantize"));
  return pair;
}

}  // namespace adze::quantize
