// Movement between a DequantizeLinear and a matrix product moves the stored bytes instead: the product then finds its
// DequantizeLinear.
#include "adze/graph/edit.h"
#include "adze/plan/lowering.h"

namespace adze::lowering {

namespace {

/// Moves each element to one place and changes none.
bool only_moves(OpKind kind) {
  switch (kind) {
    case OpKind::DepthToSpace:
    case OpKind::Flatten:
    case OpKind::Reshape:
    case OpKind::SpaceToDepth:
    case OpKind::Squeeze:
    case OpKind::Transpose:
    case OpKind::Unsqueeze:
      return true;
    default:
      return false;
  }
}

bool is_constant(const Graph& graph, ValueId value) {
  const Node* producer = graph.producer_of(value);
  if (producer != nullptr && producer->kind == OpKind::DequantizeLinear) value = producer->input(0);
  return graph.constant(value) != nullptr;
}

/// Is the value, after more such movement, an operand of a MatMul, or the first of a Gemm with constant weights, and
/// read by nothing else?
bool ends_in_product(const Graph& graph, const Uses& uses, ValueId value) {
  while (uses.single(value)) {
    const Node& reader = graph.node(uses.of(value)[0]);
    if (reader.kind == OpKind::MatMul) return true;
    if (reader.input(0) != value) return false;
    if (reader.kind == OpKind::Gemm) return is_constant(graph, reader.input(1));
    if (!only_moves(reader.kind)) return false;
    value = reader.output();
  }
  return false;
}

}  // namespace

int move_stored_values(Graph& graph) {
  int moved = 0;
  const Uses uses(graph);
  for (const NodeId id : topological_order(graph)) {
    const Node node = graph.node(id);
    if (!only_moves(node.kind) || !ends_in_product(graph, uses, node.output())) continue;
    const auto x = Lowering(graph, uses).activation(node.input(0));
    if (!x) continue;
    Node dequantize = *graph.producer_of(node.input(0));
    Node movement = node;
    movement.inputs[0] = x->stored;
    const ValueId stored = graph.add_value(graph.unique_name(graph.value(node.output()).name + "/stored"));
    graph.value(stored).type = graph.value(node.output()).type;
    graph.value(stored).type.dtype = x->dtype;
    movement.outputs[0] = stored;
    dequantize.name = graph.unique_name(dequantize.name + "/moved");
    dequantize.inputs[0] = stored;
    dequantize.outputs = {node.output()};
    graph.remove_node(id);
    graph.add_node(std::move(movement));
    graph.add_node(std::move(dequantize));
    ++moved;
  }
  return moved;
}

}  // namespace adze::lowering
