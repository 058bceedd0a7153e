#include "adze/rewrite/rules/merge_duplicates.h"

#include <algorithm>
#include <map>

#include "adze/base/hash.h"
#include "adze/base/text.h"
#include "adze/graph/text.h"

namespace adze::rewrite {

namespace {

constexpr std::int64_t min_merged_bytes = 1024;
constexpr std::size_t max_readers_compared = 64;

bool same_value(const Graph& graph, ValueId a, ValueId b) {
  if (a == b) return true;
  const Tensor* x = graph.constant(a);
  const Tensor* y = graph.constant(b);
  return x != nullptr && y != nullptr && identical(*x, *y);
}

bool same_attributes(const Node& a, const Node& b) {
  if (a.attributes.size() != b.attributes.size()) return false;
  for (std::size_t i = 0; i < a.attributes.size(); ++i) {
    if (a.attributes[i].first != b.attributes[i].first ||
        attribute_text(a.attributes[i].second) != attribute_text(b.attributes[i].second)) {
      return false;
    }
  }
  return true;
}

bool is_duplicate(const Graph& graph, const Node& a, const Node& b) {
  if (a.kind != b.kind || a.inputs.size() != b.inputs.size() || a.outputs.size() != b.outputs.size()) return false;
  for (std::size_t i = 0; i < a.inputs.size(); ++i) {
    if (!same_value(graph, a.inputs[i], b.inputs[i])) return false;
  }
  for (std::size_t i = 0; i < a.outputs.size(); ++i) {
    if ((a.outputs[i] == ValueId::None) != (b.outputs[i] == ValueId::None)) return false;
  }
  return same_attributes(a, b);
}

/// The computed input with the fewest readers: all duplicates read it too.
ValueId rarest_input(const RuleContext& context, const Node& node) {
  ValueId rarest = ValueId::None;
  for (const ValueId input : node.inputs) {
    if (input == ValueId::None || context.graph.constant(input) != nullptr) continue;
    if (rarest == ValueId::None || context.uses.of(input).size() < context.uses.of(rarest).size()) rarest = input;
  }
  return rarest;
}

std::optional<GraphEdit> merge_duplicate(const RuleContext& context, NodeId id) {
  const Node& node = context.node(id);
  const OpClass op_class = op_info(node.kind).op_class;
  if (op_class == OpClass::Random || op_class == OpClass::Control) return std::nullopt;
  const ValueId input = rarest_input(context, node);
  if (input == ValueId::None) return std::nullopt;
  const auto readers = context.uses.of(input);
  for (std::size_t i = 0; i < std::min(readers.size(), max_readers_compared); ++i) {
    const NodeId other = readers[i];
    if (other >= id) break;
    const Node& twin = context.node(other);
    if (!is_duplicate(context.graph, twin, node)) continue;
    // Two outputs of the graph both need a node; an Identity between them would be no gain.
    const bool both_outputs = std::ranges::any_of(
        node.outputs, [&](ValueId output) { return output != ValueId::None && context.uses.is_output(output); });
    if (both_outputs && node.kind == OpKind::Identity) continue;
    GraphEdit edit(context.graph, cat(node.name, " computes the same as ", twin.name));
    for (std::size_t k = 0; k < node.outputs.size(); ++k) {
      if (node.outputs[k] != ValueId::None) edit.replace(node.outputs[k], twin.outputs[k]);
    }
    return edit;
  }
  return std::nullopt;
}

}  // namespace

std::vector<Rule> merge_duplicates_rules() {
  return {{"merge-duplicate", Exactness::Exact, {}, merge_duplicate}};
}

int merge_equal_constants(Graph& graph) {
  const Uses uses(graph);
  std::map<std::pair<std::string, std::uint32_t>, std::vector<ValueId>> groups;
  GraphEdit edit(graph, "equal constants");
  int merged = 0;
  for (std::int32_t i = 0; i < graph.num_values(); ++i) {
    const auto id = static_cast<ValueId>(i);
    const Tensor* constant = std::as_const(graph).constant(id);
    if (constant == nullptr || uses.of(id).empty() || uses.is_output(id) || constant->dtype() == DType::String)
      continue;
    if (constant->num_bytes() < min_merged_bytes) continue;
    auto& group = groups[{type_text(*constant), crc32(constant->bytes().first(min_merged_bytes))}];
    const auto twin = std::ranges::find_if(
        group, [&](ValueId other) { return identical(*std::as_const(graph).constant(other), *constant); });
    if (twin == group.end()) {
      group.push_back(id);
      continue;
    }
    edit.replace(id, *twin);
    ++merged;
  }
  if (merged > 0) apply(graph, edit);
  return merged;
}

}  // namespace adze::rewrite
