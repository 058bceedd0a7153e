#include "adze/rewrite/integer_ports.h"

#include <algorithm>

#include "adze/graph/edit.h"

namespace adze::rewrite {

namespace {

/// What emitted code takes from its caller and gives to it.
bool is_stored(DType dtype) {
  return dtype == DType::S8 || dtype == DType::U8 || dtype == DType::S16;
}

/// One constant scale, codes of 8 bits.
bool quantizes_bytes(const Graph& graph, const Node& node, ValueId codes) {
  const Tensor* scale = graph.constant(node.input(1));
  return scale != nullptr && scale->size() == 1 && is_stored(graph.value(codes).type.dtype) &&
         (node.input(2) == ValueId::None || graph.constant(node.input(2)) != nullptr);
}

/// The only reader of an input, when that quantizes it.
NodeId quantizer_of(const Graph& graph, const Uses& uses, ValueId input) {
  const auto readers = uses.of(input);
  const bool is_output = std::find(graph.outputs().begin(), graph.outputs().end(), input) != graph.outputs().end();
  if (readers.size() != 1 || is_output || graph.value(input).type.dtype != DType::F32) return NodeId::None;
  const Node& node = graph.node(readers[0]);
  const bool fits =
      node.kind == OpKind::QuantizeLinear && node.input(0) == input && quantizes_bytes(graph, node, node.outputs[0]);
  return fits ? readers[0] : NodeId::None;
}

bool change_input(Graph& graph, ValueId input) {
  const Uses uses(graph);
  const NodeId quantizer = quantizer_of(graph, uses, input);
  if (quantizer == NodeId::None) return false;
  const ValueId codes = std::as_const(graph).node(quantizer).outputs[0];
  graph.value(input).type = std::as_const(graph).value(codes).type;
  GraphEdit edit(graph, "integer input");
  edit.replace(codes, input);
  apply(graph, edit);
  return true;
}

bool change_output(Graph& graph, std::size_t index) {
  std::vector<ValueId> outputs = graph.outputs();
  const ValueId output = outputs[index];
  const Node* node = graph.producer_of(output);
  if (node == nullptr || node->kind != OpKind::DequantizeLinear || !quantizes_bytes(graph, *node, node->input(0)) ||
      std::as_const(graph).value(output).type.dtype != DType::F32) {
    return false;
  }
  const ValueId codes = node->input(0);
  const bool is_taken = std::find(outputs.begin(), outputs.end(), codes) != outputs.end() ||
                        std::find(graph.inputs().begin(), graph.inputs().end(), codes) != graph.inputs().end();
  if (is_taken || graph.constant(codes) != nullptr) return false;
  outputs[index] = codes;
  graph.set_outputs(std::move(outputs));
  std::string name = std::as_const(graph).value(output).name;
  graph.value(output).name = graph.unique_name(name + "_float");
  graph.value(codes).name = std::move(name);
  return true;
}

}  // namespace

int use_integer_ports(Graph& graph) {
  int changes = 0;
  const std::vector<ValueId> inputs = graph.inputs();
  for (const ValueId input : inputs) changes += change_input(graph, input) ? 1 : 0;
  for (std::size_t i = 0; i < graph.outputs().size(); ++i) changes += change_output(graph, i) ? 1 : 0;
  if (changes > 0) remove_dead_nodes(graph);
  return changes;
}

}  // namespace adze::rewrite
