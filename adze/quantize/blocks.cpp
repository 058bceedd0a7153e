#include "adze/quantize/blocks.h"

#include <algorithm>
#include <set>

#include "adze/graph/infer.h"
#include "adze/quantize/layers.h"

namespace adze::quantize {

namespace {

/// What is still to be read, node by node.
class Frontier {
 public:
  explicit Frontier(const Graph& graph)
      : graph_(graph), uses_(graph), left_(static_cast<std::size_t>(graph.num_values())) {
    for (std::int32_t i = 0; i < graph.num_values(); ++i) {
      const auto value = static_cast<ValueId>(i);
      const std::set<NodeId> readers(uses_.of(value).begin(), uses_.of(value).end());
      left_[static_cast<std::size_t>(i)] = std::ssize(readers) + (uses_.is_output(value) ? 1 : 0);
    }
    for (const ValueId input : graph.inputs()) open(input);
  }

  void pass(NodeId id) {
    const std::vector<ValueId> all = values_read(graph_.node(id));
    const std::set<ValueId> read(all.begin(), all.end());
    for (const ValueId value : read) {
      if (live_.contains(value) && --left_[static_cast<std::size_t>(value)] == 0) live_.erase(value);
    }
    for (const ValueId output : graph_.node(id).outputs) open(output);
  }

  const std::set<ValueId>& live() const { return live_; }

 private:
  void open(ValueId value) {
    if (value != ValueId::None && left_[static_cast<std::size_t>(value)] > 0) live_.insert(value);
  }

  const Graph& graph_;
  Uses uses_;
  std::vector<std::int64_t> left_;
  std::set<ValueId> live_;
};

bool has_weights(const Graph& graph, NodeId id) {
  return role_of(graph.node(id).kind) == Role::Layer && weight_input(graph, graph.node(id)).has_value();
}

/// Nodes that no output of the graph needs.
void remove_unread(Graph& graph) {
  std::set<ValueId> needed(graph.outputs().begin(), graph.outputs().end());
  std::vector<NodeId> order = topological_order(graph);
  std::reverse(order.begin(), order.end());
  for (const NodeId id : order) {
    const auto& outputs = graph.node(id).outputs;
    if (std::any_of(outputs.begin(), outputs.end(), [&](ValueId output) { return needed.contains(output); })) {
      for (const ValueId read : values_read(graph.node(id))) needed.insert(read);
    } else {
      graph.remove_node(id);
    }
  }
}

}  // namespace

std::vector<Block> find_blocks(const Graph& graph) {
  std::vector<Block> blocks;
  Frontier frontier(graph);
  if (frontier.live().size() != 1) return blocks;
  Block open{*frontier.live().begin(), ValueId::None, {}};
  for (const NodeId id : topological_order(graph)) {
    if (has_weights(graph, id)) open.layers.push_back(id);
    frontier.pass(id);
    if (frontier.live().size() != 1) continue;
    const ValueId cut = *frontier.live().begin();
    if (!graph.value(cut).type.shape || graph.constant(cut) != nullptr) continue;
    if (!open.layers.empty()) {
      open.to = cut;
      blocks.push_back(open);
    } else if (!blocks.empty()) {
      blocks.back().to = cut;
    }
    open = {cut, ValueId::None, {}};
  }
  return blocks;
}

Graph block_graph(const Graph& graph, const Block& block) {
  Graph part = graph;
  const ValueId input = part.add_input(part.unique_name("block_input"), part.value(block.from).type);
  for (const NodeId id : part.node_ids()) {
    for (ValueId& read : part.node(id).inputs) {
      if (read == block.from) read = input;
    }
  }
  part.set_inputs({input});
  part.set_outputs({block.to});
  remove_unread(part);
  part.compact();
  infer_types(part);
  return part;
}

}  // namespace adze::quantize
