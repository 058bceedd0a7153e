#include "adze/rewrite/rules/merge_slices.h"

#include <algorithm>

#include "adze/base/text.h"
#include "adze/rewrite/constants.h"

namespace adze::rewrite {

namespace {

std::optional<GraphEdit> join_split(const RuleContext& context, NodeId id) {
  const Node& concat = context.node(id);
  const Node* split = context.producer(concat.input(0), OpKind::Split);
  const auto rank = split != nullptr ? context.rank(split->input(0)) : std::nullopt;
  if (!rank || concat.inputs != split->outputs) return std::nullopt;
  if (normalize_axis(concat.get_int("axis"), *rank) != normalize_axis(split->get_int("axis"), *rank))
    return std::nullopt;
  GraphEdit edit(context.graph, cat(concat.name, " joins what ", split->name, " cut"));
  edit.replace(concat.output(), split->input(0));
  return edit;
}

struct Cut {
  std::vector<std::int64_t> starts, ends, axes;
};

/// A Slice with constant bounds and steps of 1.
std::optional<Cut> cut_of(const RuleContext& context, const Node& slice) {
  const auto starts = context.ints(slice.input(1)), ends = context.ints(slice.input(2));
  const auto rank = context.rank(slice.input(0));
  if (!starts || !ends || !rank || starts->size() != ends->size()) return std::nullopt;
  Cut cut{*starts, *ends, {}};
  for (std::size_t i = 0; i < starts->size(); ++i) cut.axes.push_back(static_cast<std::int64_t>(i));
  if (slice.input(3) != ValueId::None) {
    const auto axes = context.ints(slice.input(3));
    if (!axes || axes->size() != starts->size()) return std::nullopt;
    for (std::size_t i = 0; i < axes->size(); ++i) cut.axes[i] = normalize_axis((*axes)[i], *rank);
  }
  if (slice.input(4) == ValueId::None) return cut;
  const Tensor* steps = context.graph.constant(slice.input(4));
  return steps != nullptr && all_equal(*steps, 1) ? std::optional(cut) : std::nullopt;
}

std::optional<GraphEdit> merge_slices(const RuleContext& context, NodeId id) {
  const Node& second = context.node(id);
  const Node* first = context.producer(second.input(0), OpKind::Slice);
  if (first == nullptr || !context.uses.single(second.input(0))) return std::nullopt;
  auto cut = cut_of(context, *first);
  const auto more = cut_of(context, second);
  if (!cut || !more) return std::nullopt;
  for (std::size_t i = 0; i < more->axes.size(); ++i) {
    if (std::ranges::find(cut->axes, more->axes[i]) != cut->axes.end()) return std::nullopt;
    cut->axes.push_back(more->axes[i]);
    cut->starts.push_back(more->starts[i]);
    cut->ends.push_back(more->ends[i]);
  }
  GraphEdit edit(context.graph, cat(first->name, " and ", second.name, " slice once"));
  const auto constant = [&](const char* what, const std::vector<std::int64_t>& values) {
    return edit.add_constant(cat(second.name, what), Tensor::ints(values));
  };
  const std::vector<ValueId> inputs = {first->input(0), constant("_starts", cut->starts), constant("_ends", cut->ends),
                                       constant("_axes", cut->axes)};
  edit.replace(second.output(), edit.add_node(OpKind::Slice, inputs, {}, second.name));
  return edit;
}

}  // namespace

std::vector<Rule> merge_slices_rules() {
  return {{"join-split", Exactness::Exact, {OpKind::Concat}, join_split},
          {"merge-slices", Exactness::Exact, {OpKind::Slice}, merge_slices}};
}

}  // namespace adze::rewrite
