#include "adze/plan/stored_weights.h"

#include <algorithm>

#include "adze/graph/edit.h"

namespace adze {

namespace {

/// 0 where it is not known.
std::int64_t elements(const Graph& graph, ValueId id) {
  if (id == ValueId::None) return 0;
  if (const Tensor* constant = graph.constant(id)) return constant->size();
  const ValueType& type = graph.value(id).type;
  const auto shape = type.is_tensor() && type.shape ? concrete(*type.shape) : std::nullopt;
  return shape ? num_elements(*shape) : 0;
}

}  // namespace

ComputedConstants::ComputedConstants(const Graph& graph, const std::vector<NodeId>& order)
    : graph_(graph), computed_(static_cast<std::size_t>(graph.num_values()), false) {
  const auto is_fixed = [&](ValueId id) { return id == ValueId::None || graph.constant(id) != nullptr || has(id); };
  for (const NodeId id : order) {
    const std::vector<ValueId> read = values_read(graph.node(id));
    const bool any = std::any_of(read.begin(), read.end(), [](ValueId value) { return value != ValueId::None; });
    if (!any || !std::all_of(read.begin(), read.end(), is_fixed)) continue;
    for (const ValueId output : graph.node(id).outputs) {
      if (output != ValueId::None) computed_[static_cast<std::size_t>(output)] = true;
    }
  }
}

std::size_t ComputedConstants::main_input(const Node& node) const {
  if (node.kind == OpKind::Gather && node.inputs.size() > 1) return 1;
  std::size_t largest = 0;
  for (std::size_t i = 1; i < node.inputs.size(); ++i) {
    if (elements(graph_, node.inputs[i]) > elements(graph_, node.inputs[largest])) largest = i;
  }
  return largest;
}

ConstantInput ComputedConstants::elements_of(ValueId value) const {
  while (true) {
    const ConstantInput found{graph_.value(value).producer, main_input(*graph_.producer_of(value))};
    const Node& node = graph_.node(found.node);
    if (node.inputs.empty() || node.inputs[found.input] == ValueId::None) return {};  // a body reads the constants
    if (graph_.constant(node.inputs[found.input]) != nullptr) return found;
    value = node.inputs[found.input];
  }
}

}  // namespace adze
