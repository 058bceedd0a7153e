#include "adze/engine/arrange_movement.h"

#include <numeric>

namespace adze::engine {

namespace {

using Operands = std::map<std::size_t, Tensor>;

/// The axes that input i names, or the first count, where they are with channels last.
std::optional<Operands> moved_axes(const Graph& graph, const Node& node, std::size_t i, std::int64_t count,
                                   std::int64_t rank) {
  std::vector<std::int64_t> axes(static_cast<std::size_t>(count));
  std::iota(axes.begin(), axes.end(), 0);
  if (node.input(i) != ValueId::None) {
    const Tensor* given = graph.constant(node.input(i));
    if (given == nullptr || given->size() != count) return std::nullopt;
    axes = to_ints(*given);
  }
  for (std::int64_t& axis : axes) axis = moved_axis(axis, rank);
  return Operands{{i, Tensor::ints(axes)}};
}

/// One number for each axis, in their new order.
std::optional<Operands> moved_factors(const Graph& graph, const Node& node, std::int64_t rank) {
  const std::size_t i = node.input(3) != ValueId::None ? 3 : 2;
  const Tensor* factors = graph.constant(node.input(i));
  if (factors == nullptr || factors->size() != rank || node.has("axes") || node.get_string("mode") != "nearest" ||
      node.get_string("coordinate_transformation_mode") == "tf_crop_and_resize" ||
      node.get_string("keep_aspect_ratio_policy") != "stretch") {
    return std::nullopt;
  }
  Tensor moved(factors->dtype(), factors->shape());
  for (std::int64_t axis = 0; axis < rank; ++axis) {
    if (is_integer(factors->dtype())) {
      moved.set_int(moved_axis(axis, rank), factors->get_int(axis));
    } else {
      moved.set_double(moved_axis(axis, rank), factors->get_double(axis));
    }
  }
  return Operands{{i, std::move(moved)}};
}

}  // namespace

std::int64_t moved_axis(std::int64_t axis, std::int64_t rank) {
  axis = normalize_axis(axis, rank);
  return axis == 0 ? 0 : axis == 1 ? rank - 1 : axis - 1;
}

std::optional<Operands> channels_last_operands(const Graph& graph, const Node& node, std::int64_t rank) {
  const ValueId second = node.input(1);
  if (node.kind == OpKind::Resize) return moved_factors(graph, node, rank);
  if (second == ValueId::None || graph.constant(second) == nullptr) return std::nullopt;
  if (node.kind == OpKind::Pad) return moved_axes(graph, node, 3, graph.constant(second)->size() / 2, rank);
  if (node.kind == OpKind::Slice) return moved_axes(graph, node, 3, graph.constant(second)->size(), rank);
  return std::nullopt;
}

}  // namespace adze::engine
