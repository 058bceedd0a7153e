#include <algorithm>

#include "adze/engine/steps/sums_s8.h"

namespace adze::engine {

namespace {

bool is_byte(DType dtype) {
  return dtype == DType::S8 || dtype == DType::U8;
}

std::optional<Shape> known_shape(const Graph& graph, ValueId id) {
  if (id == ValueId::None) return std::nullopt;
  const ValueType& type = graph.value(id).type;
  const auto shape = type.is_tensor() && type.shape ? concrete(*type.shape) : std::nullopt;
  return shape && num_elements(*shape) > 0 ? shape : std::nullopt;
}

/// weights: [O, …], or [K, O] where turned. Nothing: numbers of 9 bits with different zero points.
std::optional<CentredWeights> centre(const Tensor& weights, const std::vector<std::int64_t>& zero_points, bool turned) {
  const std::int64_t outputs = weights.dim(turned ? 1 : 0), depth = weights.size() / outputs;
  const auto count = static_cast<std::int64_t>(zero_points.size());
  if (count != 1 && count != outputs) return std::nullopt;
  CentredWeights centred;
  centred.turned = turned;
  const bool plain = weights.dtype() == DType::S8 && std::ranges::all_of(zero_points, [](auto z) { return z == 0; });
  bool fits = true, same = true;
  for (std::int64_t o = 0; o < outputs; ++o) {
    const std::int64_t z = zero_points[count == 1 ? 0 : static_cast<std::size_t>(o)];
    centred.shift.push_back(static_cast<std::int32_t>(z));
    same = same && z == zero_points.front();
    for (std::int64_t k = 0; fits && !plain && k < depth; ++k) {
      const std::int64_t w = weights.get_int(turned ? k * outputs + o : o * depth + k) - z;
      fits = w >= -128 && w <= 127;
    }
  }
  if (fits) return centred;
  if (!same) return std::nullopt;
  const std::int32_t middle = weights.dtype() == DType::U8 ? 128 : 0;
  centred.rest = centred.shift.front() - middle;
  std::fill(centred.shift.begin(), centred.shift.end(), middle);
  return centred;
}

/// A bias of s32 numbers for the outputs, or none, and bytes as results.
bool can_requantize(const Graph& graph, const Node& node, std::int64_t outputs) {
  if (!is_byte(graph.value(node.output()).type.dtype)) return false;
  if (node.input(2) == ValueId::None) return true;
  const Tensor* bias = graph.constant(node.input(2));
  return bias != nullptr && bias->dtype() == DType::S32 && bias->size() == outputs;
}

bool has_one_zero_point(const Graph& graph, const Node& node) {
  if (node.input(2) == ValueId::None) return true;
  const auto shape = known_shape(graph, node.input(2));
  return shape && num_elements(*shape) == 1;
}

}  // namespace

bool gives_bytes(OpKind kind) {
  return kind == OpKind::QConv || kind == OpKind::QGemm;
}

std::optional<CentredWeights> centred_weights(const Graph& graph, const Node& node) {
  const bool conv = node.kind == OpKind::ConvInteger || node.kind == OpKind::QConv;
  if (!conv && node.kind != OpKind::MatMulInteger && node.kind != OpKind::QGemm) return std::nullopt;
  const auto x = known_shape(graph, node.input(0));
  const Tensor* weights = graph.constant(node.input(1));
  if (!x || !known_shape(graph, node.output()) || weights == nullptr || weights->size() == 0) return std::nullopt;
  if (!is_byte(graph.value(node.input(0)).type.dtype) || !is_byte(weights->dtype())) return std::nullopt;
  if (conv ? x->size() != 3 && x->size() != 4 : weights->rank() != 2) return std::nullopt;
  const bool turned = !conv && !(node.kind == OpKind::QGemm && node.get_int("transB", 0) != 0);
  if (gives_bytes(node.kind)) {
    if (!can_requantize(graph, node, weights->dim(turned ? 1 : 0))) return std::nullopt;
    return centre(*weights, {node.get_int("w_zero_point", 0)}, turned);
  }
  const Tensor* zero_points = graph.constant(node.input(3));
  if (node.input(3) != ValueId::None && zero_points == nullptr) return std::nullopt;
  if (!has_one_zero_point(graph, node)) return std::nullopt;
  return centre(*weights, zero_points == nullptr ? std::vector<std::int64_t>{0} : to_ints(*zero_points), turned);
}

}  // namespace adze::engine
