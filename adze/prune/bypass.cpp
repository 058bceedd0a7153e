#include "adze/prune/bypass.h"

#include <algorithm>

#include "adze/graph/edit.h"
#include "adze/prune/layers.h"
#include "adze/prune/measuring.h"

namespace adze::prune {

namespace {

bool same_type(const Graph& graph, ValueId a, ValueId b) {
  const ValueType &left = graph.value(a).type, &right = graph.value(b).type;
  return left.shape && right.shape && left.dtype == right.dtype && *left.shape == *right.shape;
}

/// Is `ancestor` read, by way of other nodes, for computing `value`?
bool depends_on(const Graph& graph, ValueId value, ValueId ancestor) {
  std::vector<ValueId> open = {value};
  std::vector<bool> seen(static_cast<std::size_t>(graph.num_values()));
  while (!open.empty()) {
    const ValueId id = open.back();
    open.pop_back();
    if (id == ancestor) return true;
    const Node* producer = graph.producer_of(id);
    if (producer == nullptr || seen[static_cast<std::size_t>(id)]) continue;
    seen[static_cast<std::size_t>(id)] = true;
    for (const ValueId input : producer->inputs) {
      if (input != ValueId::None) open.push_back(input);
    }
  }
  return false;
}

void find_blocks(const Graph& graph, const std::vector<std::string>& skip, std::vector<Bypass>& found) {
  for (const NodeId id : topological_order(graph)) {
    const Node& node = graph.node(id);
    if (node.kind != OpKind::Add || is_named(node, skip)) continue;
    for (const int side : {0, 1}) {
      const ValueId around = node.input(static_cast<std::size_t>(side));
      const ValueId through = node.input(static_cast<std::size_t>(1 - side));
      if (graph.constant(around) != nullptr || graph.constant(through) != nullptr || around == through) continue;
      if (!same_type(graph, around, node.outputs[0]) || !depends_on(graph, through, around)) continue;
      found.push_back({node.name, around, node.outputs[0]});
      break;
    }
  }
}

void find_single_layers(const Graph& graph, const std::vector<std::string>& skip, std::vector<Bypass>& found) {
  for (const Layer& layer : weight_layers(graph, skip)) {
    const Node& node = graph.node(layer.node);
    if (layer.input == ValueId::None || node.outputs.size() != 1) continue;
    if (same_type(graph, layer.input, node.outputs[0])) found.push_back({node.name, layer.input, node.outputs[0]});
  }
}

}  // namespace

std::vector<Bypass> find_bypasses(const Graph& graph, Depth depth, const std::vector<std::string>& skip) {
  std::vector<Bypass> found;
  if (depth == Depth::Blocks) {
    find_blocks(graph, skip, found);
  } else {
    find_single_layers(graph, skip, found);
  }
  return found;
}

Graph bypassed(Graph graph, const Bypass& bypass) {
  GraphEdit edit(graph, "prune");
  edit.replace(bypass.to, bypass.from);
  apply(graph, edit);
  return graph;
}

std::vector<double> bypass_errors(const Graph& graph, const std::vector<Bypass>& bypasses, const Batches& batches,
                                  ProgressSink& progress) {
  if (batches.count == 0) throw UsageError("what layers and blocks do is measured on data", "give --data");
  const Outputs whole = outputs_of(graph, batches);
  ProgressPhase phase(progress, "leaving out", static_cast<std::int64_t>(bypasses.size()), "parts");
  std::vector<double> errors;
  for (const Bypass& bypass : bypasses) {
    check_cancelled();
    errors.push_back(relative_error(whole, outputs_of(bypassed(graph, bypass), batches)));
    phase.advance();
  }
  return errors;
}

}  // namespace adze::prune
