#include "adze/rewrite/rules/inline_if.h"

#include "adze/base/text.h"

namespace adze::rewrite {

namespace {

std::optional<GraphEdit> inline_if(const RuleContext& context, NodeId id) {
  const Node& node = context.node(id);
  const Tensor* condition = context.graph.constant(node.input(0));
  if (condition == nullptr || condition->size() != 1 || condition->dtype() != DType::Bool) return std::nullopt;
  const auto& branch = std::get<Subgraph>(*node.find(condition->data<bool>()[0] ? "then_branch" : "else_branch"));
  const Graph& inner = *branch.graph;
  GraphEdit edit(context.graph, cat("take the branch ", inner.name, " of ", node.name));
  std::vector<ValueId> outer(static_cast<std::size_t>(inner.num_values()), ValueId::None);
  const auto at = [&](ValueId value) -> ValueId& { return outer[static_cast<std::size_t>(value)]; };
  for (std::size_t i = 0; i < inner.captures().size(); ++i) at(inner.captures()[i]) = branch.captured[i];
  const auto outside = [&](ValueId value) {
    if (value == ValueId::None) return value;
    if (at(value) == ValueId::None) at(value) = edit.add_constant(inner.value(value).name, *inner.constant(value));
    return at(value);
  };
  for (const NodeId inner_id : topological_order(inner)) {
    Node copy = inner.node(inner_id);
    for (ValueId& input : copy.inputs) input = outside(input);
    for (auto& [key, attribute] : copy.attributes) {
      if (auto* subgraph = std::get_if<Subgraph>(&attribute)) {
        for (ValueId& captured : subgraph->captured) captured = outside(captured);
      }
    }
    auto output = static_cast<std::int32_t>(
        edit.add_node(copy.kind, copy.inputs, copy.attributes, copy.name, static_cast<int>(copy.outputs.size())));
    for (const ValueId inner_output : copy.outputs) {
      if (inner_output != ValueId::None) at(inner_output) = static_cast<ValueId>(output);
      ++output;
    }
  }
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] != ValueId::None) edit.replace(node.outputs[i], outside(inner.outputs()[i]));
  }
  return edit;
}

}  // namespace

std::vector<Rule> inline_if_rules() {
  return {{"inline-if", Exactness::Exact, {OpKind::If}, inline_if}};
}

}  // namespace adze::rewrite
