#include "adze/rewrite/rules/merge_clips.h"

#include <algorithm>
#include <limits>

#include "adze/base/text.h"
#include "adze/rewrite/constants.h"

namespace adze::rewrite {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

struct Bounds {
  double low, high;
};

std::optional<Bounds> bounds_of(const RuleContext& context, const Node& node) {
  if (node.kind == OpKind::Relu) return Bounds{0, infinity};
  if (node.kind != OpKind::Clip) return std::nullopt;
  Bounds bounds{-infinity, infinity};
  for (std::size_t i = 1; i < 3; ++i) {
    if (node.input(i) == ValueId::None) continue;
    const auto value = context.scalar(node.input(i));
    if (!value) return std::nullopt;
    (i == 1 ? bounds.low : bounds.high) = *value;
  }
  if (!(bounds.low <= bounds.high)) return std::nullopt;
  return bounds;
}

std::optional<GraphEdit> merge_clips(const RuleContext& context, NodeId id) {
  const Node& outer = context.node(id);
  const Node* inner = context.graph.producer_of(outer.input(0));
  const DType dtype = context.dtype(outer.output());
  if (inner == nullptr || !is_float(dtype) || !context.uses.single(outer.input(0))) return std::nullopt;
  const auto first = bounds_of(context, *inner), second = bounds_of(context, outer);
  if (!first || !second) return std::nullopt;
  const Bounds merged{std::clamp(first->low, second->low, second->high),
                      std::clamp(first->high, second->low, second->high)};
  GraphEdit edit(context.graph, cat(outer.name, " and ", inner->name, " clip once"));
  if (merged.low == 0 && merged.high == infinity) {
    edit.replace(outer.output(), edit.add_node(OpKind::Relu, {inner->input(0)}, {}, outer.name));
    return edit;
  }
  const auto bound = [&](double value, double none, const char* which) {
    if (value == none) return ValueId::None;
    return edit.add_constant(cat(outer.name, which), from_doubles(dtype, {}, std::vector{value}));
  };
  std::vector<ValueId> inputs = {inner->input(0), bound(merged.low, -infinity, "_min"),
                                 bound(merged.high, infinity, "_max")};
  while (inputs.back() == ValueId::None && inputs.size() > 1) inputs.pop_back();
  edit.replace(outer.output(), edit.add_node(OpKind::Clip, std::move(inputs), {}, outer.name));
  return edit;
}

}  // namespace

std::vector<Rule> merge_clips_rules() {
  return {{"merge-clips", Exactness::Exact, {OpKind::Relu, OpKind::Clip}, merge_clips}};
}

}  // namespace adze::rewrite
