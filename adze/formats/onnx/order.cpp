#include "adze/formats/onnx/order.h"

#include <queue>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "adze/base/text.h"

namespace adze::onnx {

namespace {

using Names = std::unordered_set<std::string_view>;

/// Adds the names that a subgraph reads and does not define itself.
void add_free_names(const GraphMessage& graph, Names& names);

void add_read_names(const NodeMessage& node, Names& names) {
  for (const std::string_view input : node.inputs) names.insert(input);
  for (const AttributeMessage& attribute : node.attributes) {
    if (attribute.graph) add_free_names(*attribute.graph, names);
  }
}

void add_free_names(const GraphMessage& graph, Names& names) {
  Names read;
  for (const NodeMessage& node : graph.nodes) add_read_names(node, read);
  for (const ValueMessage& output : graph.outputs) read.insert(output.name);
  for (const ValueMessage& input : graph.inputs) read.erase(input.name);
  for (const NodeMessage& node : graph.nodes) {
    for (const std::string_view output : node.outputs) read.erase(output);
  }
  names.insert(read.begin(), read.end());
}

}  // namespace

std::vector<const NodeMessage*> build_order(const std::vector<NodeMessage>& nodes) {
  std::unordered_map<std::string_view, std::size_t> producer;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (const std::string_view output : nodes[i].outputs) {
      if (!output.empty()) producer.emplace(output, i);
    }
  }
  std::vector<std::vector<std::size_t>> readers(nodes.size());
  std::vector<int> waiting(nodes.size(), 0);
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    Names read;
    add_read_names(nodes[i], read);
    for (const std::string_view name : read) {
      const auto found = producer.find(name);
      if (found == producer.end()) continue;
      readers[found->second].push_back(i);
      ++waiting[i];
    }
    if (waiting[i] == 0) ready.push(i);
  }
  std::vector<const NodeMessage*> order;
  order.reserve(nodes.size());
  while (!ready.empty()) {
    const std::size_t i = ready.top();
    ready.pop();
    order.push_back(&nodes[i]);
    for (const std::size_t reader : readers[i]) {
      if (--waiting[reader] == 0) ready.push(reader);
    }
  }
  if (order.size() == nodes.size()) return order;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (waiting[i] == 0) continue;
    const std::string_view name =
        nodes[i].name.empty() && !nodes[i].outputs.empty() ? nodes[i].outputs[0] : nodes[i].name;
    throw ModelError("the graph has a cycle", {"", std::string(name), std::string(nodes[i].op)});
  }
  return order;
}

}  // namespace adze::onnx
