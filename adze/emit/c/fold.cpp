#include "adze/emit/c/fold.h"

#include <optional>

namespace adze::emit {

namespace {

std::optional<Tensor> dequantized(const Graph& graph, const Node& node) {
  const Tensor* x = graph.constant(node.input(0));
  const Tensor* scale = graph.constant(node.input(1));
  const Tensor* zero_point = graph.constant(node.input(2));
  const bool has_zero = node.input(2) != ValueId::None;
  if (x == nullptr || scale == nullptr || scale->dtype() != DType::F32 || (has_zero && zero_point == nullptr)) {
    return std::nullopt;
  }
  std::int64_t inner = 1, count = 1;
  if (scale->size() != 1) {
    const std::int64_t axis = normalize_axis(node.get_int("axis"), x->rank());
    count = x->dim(axis);
    for (std::int64_t i = axis + 1; i < x->rank(); ++i) inner *= x->dim(i);
    if (scale->rank() != 1 || scale->size() != count) return std::nullopt;
  }
  Tensor result(DType::F32, x->shape());
  const auto out = result.mutable_data<float>();
  for (std::int64_t i = 0; i < x->size(); ++i) {
    const std::int64_t channel = i / inner % count;
    const std::int64_t zero = zero_point == nullptr ? 0 : zero_point->get_int(zero_point->size() == 1 ? 0 : channel);
    out[static_cast<std::size_t>(i)] =
        static_cast<float>(x->get_int(i) - zero) * static_cast<float>(scale->get_double(channel));
  }
  return result;
}

}  // namespace

Graph with_float_weights(Graph graph) {
  for (const NodeId id : graph.node_ids()) {
    const Node& node = std::as_const(graph).node(id);
    if (node.kind != OpKind::DequantizeLinear || graph.constant(node.input(0)) == nullptr) continue;
    const std::optional<Tensor> folded = dequantized(graph, node);
    if (!folded) continue;
    const ValueId output = node.output();
    const ValueId constant = graph.add_constant(graph.unique_name("folded"), *folded);
    for (const NodeId reader : graph.node_ids()) {
      for (ValueId& input : graph.node(reader).inputs) {
        if (input == output) input = constant;
      }
    }
  }
  return graph;
}

}  // namespace adze::emit
