#include "adze/engine/fuse_sums.h"

#include <algorithm>
#include <optional>

#include "adze/engine/steps/sums_s8.h"
#include "adze/graph/edit.h"

namespace adze::engine {

namespace {

/// One number, or one for each channel of sums of the rank: [C, 1, …] for pictures, else [C].
bool is_for_channels(const Shape& shape, std::int64_t channels, std::int64_t rank, bool picture) {
  const std::int64_t count = num_elements(shape);
  if (static_cast<std::int64_t>(shape.size()) > rank) return false;
  if (count == 1) return true;
  const std::int64_t after = picture ? rank - 2 : 0;
  const std::int64_t axis = static_cast<std::int64_t>(shape.size()) - 1 - after;
  return axis >= 0 && count == channels && shape[static_cast<std::size_t>(axis)] == channels;
}

struct Fuser {
  Graph& graph;
  const Uses& uses;

  std::optional<Shape> shape_of(ValueId id) const {
    const ValueType& type = graph.value(id).type;
    return type.is_tensor() && type.shape ? concrete(*type.shape) : std::nullopt;
  }

  /// The node of the kind that alone reads the value; None: there is none.
  NodeId sole_reader(ValueId value, OpKind kind) const {
    if (!uses.single(value)) return NodeId::None;
    const NodeId reader = uses.of(value)[0];
    return graph.node(reader).kind == kind ? reader : NodeId::None;
  }

  /// The operand beside value, when it is f32 and fits the channels; None: it does not.
  ValueId beside(NodeId id, ValueId value, std::int64_t channels, std::int64_t rank, bool picture) const {
    const Node& node = graph.node(id);
    const ValueId other = node.inputs[0] == value ? node.inputs[1] : node.inputs[0];
    const auto shape = shape_of(other);
    const bool fits = other != value && shape && graph.value(other).type.dtype == DType::F32 &&
                      is_for_channels(*shape, channels, rank, picture);
    return fits ? other : ValueId::None;
  }

  void fuse(NodeId id) const {
    const Node sums = graph.node(id);
    if (!centred_weights(graph, sums) || sums.has(sums_scaled)) return;
    const bool picture = sums.kind == OpKind::ConvInteger;
    const auto rank = static_cast<std::int64_t>(shape_of(sums.output())->size());
    const std::int64_t channels = graph.constant(sums.input(1))->dim(picture ? 0 : 1);
    const NodeId cast = sole_reader(sums.output(), OpKind::Cast);
    if (cast == NodeId::None || graph.value(graph.node(cast).output()).type.dtype != DType::F32) return;
    NodeId last = sole_reader(graph.node(cast).output(), OpKind::Mul);
    if (last == NodeId::None) return;
    Node fused = sums;
    const ValueId scale = beside(last, graph.node(cast).output(), channels, rank, picture);
    if (scale == ValueId::None) return;
    fused.inputs.resize(sums_bias_input, ValueId::None);
    fused.inputs[sums_scale_input] = scale;
    const ValueId scaled = graph.node(last).output();
    if (const NodeId add = sole_reader(scaled, OpKind::Add); add != NodeId::None) {
      const ValueId bias = beside(add, scaled, channels, rank, picture);
      if (bias != ValueId::None && graph.constant(bias) != nullptr) {
        fused.inputs.push_back(bias);
        last = add;
      }
    }
    fused.set(sums_scaled, std::int64_t{1});
    fused.outputs = {graph.node(last).output()};
    fused.name = graph.node(last).name;
    graph.remove_node(last);
    graph.add_node(std::move(fused));
  }
};

}  // namespace

Graph fuse_sums(Graph graph) {
  std::vector<NodeId> found;
  for (const NodeId id : graph.node_ids()) {
    const OpKind kind = graph.node(id).kind;
    if (kind == OpKind::ConvInteger || kind == OpKind::MatMulInteger) found.push_back(id);
  }
  if (found.empty()) return graph;
  const Uses uses(graph);
  for (const NodeId id : found) Fuser{graph, uses}.fuse(id);
  remove_dead_nodes(graph);
  return graph;
}

}  // namespace adze::engine
