#include "adze/engine/fuse_tables.h"

#include <array>
#include <functional>
#include <optional>

#include "adze/graph/edit.h"
#include "adze/plan/integer_parameters.h"

namespace adze::engine {

namespace {

bool is_byte(DType dtype) {
  return dtype == DType::S8 || dtype == DType::U8;
}

/// A value as a function of the bytes of another of the same shape.
struct ByteFunction {
  ValueId source;
  DType dtype;                          ///< of the source
  std::array<std::int32_t, 256> entry;  ///< for source = lowest, lowest + 1, …
};

ByteFunction identity_of(const Graph& graph, ValueId id) {
  ByteFunction function{id, graph.value(id).type.dtype, {}};
  const auto lowest = static_cast<std::int32_t>(integer_min(function.dtype));
  for (std::int32_t i = 0; i < 256; ++i) function.entry[static_cast<std::size_t>(i)] = lowest + i;
  return function;
}

/// Through one table, where one makes the value.
std::optional<ByteFunction> function_of(const Graph& graph, ValueId id) {
  if (id == ValueId::None || graph.constant(id) != nullptr || !is_byte(graph.value(id).type.dtype)) return std::nullopt;
  const Node* producer = graph.producer_of(id);
  if (producer == nullptr || producer->kind != OpKind::QTable) return identity_of(graph, id);
  const Tensor* table = graph.constant(producer->input(1));
  const ValueId source = producer->input(0);
  if (table == nullptr || table->size() != 256 || !is_byte(graph.value(source).type.dtype)) {
    return identity_of(graph, id);
  }
  ByteFunction function{source, graph.value(source).type.dtype, {}};
  for (std::int64_t i = 0; i < 256; ++i) {
    function.entry[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(table->get_int(i));
  }
  return function;
}

using BinaryFunction = std::function<std::int32_t(std::int32_t, std::int32_t)>;

BinaryFunction binary_of(const Node& node) {
  if (node.kind == OpKind::QMul) return quantized_mul(node);
  if (node.kind == OpKind::QAdd || node.kind == OpKind::QSub) return quantized_add(node);
  return nullptr;
}

/// The table that the node amounts to; nothing when it is one already, or none.
std::optional<ByteFunction> as_table(const Graph& graph, const Node& node) {
  if (node.kind == OpKind::QTable) {
    const auto inner = function_of(graph, node.input(0));
    const auto outer = function_of(graph, node.output());
    if (!inner || !outer || inner->source == node.input(0) || outer->source != node.input(0)) return std::nullopt;
    ByteFunction composed = *inner;
    const auto lowest = static_cast<std::int32_t>(integer_min(outer->dtype));
    for (std::int32_t& entry : composed.entry) entry = outer->entry[static_cast<std::size_t>(entry - lowest)];
    return composed;
  }
  const BinaryFunction apply = binary_of(node);
  if (!apply) return std::nullopt;
  const auto left = function_of(graph, node.input(0)), right = function_of(graph, node.input(1));
  if (!left || !right || left->source != right->source) return std::nullopt;
  ByteFunction result = *left;
  for (std::size_t i = 0; i < 256; ++i) result.entry[i] = apply(left->entry[i], right->entry[i]);
  return result;
}

}  // namespace

Graph fuse_tables(Graph graph) {
  bool changed = false;
  for (const NodeId id : topological_order(graph)) {
    const Node& node = graph.node(id);
    if (node.outputs.size() != 1 || !is_byte(graph.value(node.output()).type.dtype)) continue;
    const auto function = as_table(graph, node);
    if (!function) continue;
    Tensor table(graph.value(node.output()).type.dtype, {256});
    for (std::int64_t i = 0; i < 256; ++i) table.set_int(i, function->entry[static_cast<std::size_t>(i)]);
    const ValueId constant = graph.add_constant(graph.unique_name(node.name + "/table"), std::move(table));
    Node& changed_node = graph.node(id);
    changed_node.kind = OpKind::QTable;
    changed_node.inputs = {function->source, constant};
    changed_node.attributes.clear();
    changed = true;
  }
  if (changed) remove_dead_nodes(graph);
  return graph;
}

}  // namespace adze::engine
