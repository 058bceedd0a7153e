#include "adze/prune/coupling.h"

namespace adze::prune {

namespace {

CouplingRule find_rule(std::span<const CouplingEntry> table, OpKind kind) {
  for (const CouplingEntry& entry : table) {
    if (entry.kind == kind) return entry.rule;
  }
  return nullptr;
}

CouplingRule first_pass_rule(OpKind kind) {
  for (const auto table : {linear_coupling(), elementwise_coupling(), window_coupling(), normalization_coupling(),
                           movement_coupling(), reduction_coupling(), recurrent_coupling()}) {
    if (const CouplingRule rule = find_rule(table, kind)) return rule;
  }
  return nullptr;
}

void pin_node(Coupling& coupling, const Node& node) {
  for (const ValueId id : values_read(node)) coupling.pin_all(id, "read by an operator that cannot be narrowed");
  for (const ValueId id : node.outputs) coupling.pin_all(id, "computed by an operator that cannot be narrowed");
}

/// Are the shapes of everything that the node reads and computes known in rank?
bool ranks_known(const Coupling& coupling, const Node& node) {
  for (const auto& ids : {node.inputs, node.outputs}) {
    for (const ValueId id : ids) {
      if (id != ValueId::None && !coupling.known(id)) return false;
    }
  }
  return true;
}

}  // namespace

Coupling couple(const Graph& graph) {
  Coupling coupling(graph);
  for (const ValueId id : graph.inputs()) coupling.pin_all(id, "an input of the network");
  for (const ValueId id : graph.outputs()) coupling.pin_all(id, "an output of the network");
  for (const ValueId id : graph.captures()) coupling.pin_all(id, "captured from a surrounding graph");
  const std::vector<NodeId> order = topological_order(graph);
  std::vector<std::pair<NodeId, CouplingRule>> reshapes;
  for (const NodeId id : order) {
    const Node& node = graph.node(id);
    if (!ranks_known(coupling, node)) {
      pin_node(coupling, node);
    } else if (const CouplingRule reshape = find_rule(reshape_coupling(), node.kind)) {
      reshapes.emplace_back(id, reshape);
    } else if (const CouplingRule rule = first_pass_rule(node.kind)) {
      rule(coupling, id, node);
    } else {
      pin_node(coupling, node);
    }
  }
  for (const auto& [id, rule] : reshapes) rule(coupling, id, graph.node(id));
  return coupling;
}

}  // namespace adze::prune
