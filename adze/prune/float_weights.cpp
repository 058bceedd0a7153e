#include "adze/prune/float_weights.h"

#include <algorithm>

#include "adze/engine/reference/reference.h"
#include "adze/graph/edit.h"

namespace adze::prune {

namespace {

bool all_constant(const Graph& graph, const Node& node) {
  return std::all_of(node.inputs.begin(), node.inputs.end(),
                     [&](ValueId id) { return id == ValueId::None || graph.constant(id) != nullptr; });
}

}  // namespace

Graph with_float_weights(Graph graph) {
  const std::vector<NodeId> ids = graph.node_ids();
  const auto quantizes = [&](NodeId id) {
    const OpKind kind = graph.node(id).kind;
    return kind == OpKind::QuantizeLinear || kind == OpKind::DynamicQuantizeLinear;
  };
  if (std::any_of(ids.begin(), ids.end(), quantizes)) return graph;
  for (const NodeId id : ids) {
    const Node& node = graph.node(id);
    if (node.kind != OpKind::DequantizeLinear || !all_constant(graph, node)) continue;
    std::vector<reference::Datum> inputs;
    for (const ValueId input : node.inputs) {
      inputs.push_back(input == ValueId::None ? reference::Datum() : reference::Datum(*graph.constant(input)));
    }
    const Tensor weights = reference::run_node(graph, node, inputs).at(0).tensor();
    GraphEdit edit(graph, "float weights are pruned");
    edit.replace(node.output(), edit.add_constant(graph.value(node.output()).name, weights));
    edit.remove(id);
    apply(graph, edit);
  }
  return graph;
}

}  // namespace adze::prune
