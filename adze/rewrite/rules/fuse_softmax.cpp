#include "adze/rewrite/rules/fuse_softmax.h"

#include "adze/base/text.h"

namespace adze::rewrite {

namespace {

/// The one axis that a reduction with keepdims reduces.
std::optional<std::int64_t> reduced_axis(const RuleContext& context, const Node& reduce) {
  const auto axes = context.ints(reduce.input(1));
  const auto rank = context.rank(reduce.input(0));
  if (!axes || axes->size() != 1 || !rank || reduce.get_int("keepdims") == 0) return std::nullopt;
  return normalize_axis((*axes)[0], *rank);
}

std::optional<GraphEdit> fuse_softmax(const RuleContext& context, NodeId id) {
  const Node& root = context.node(id);
  const Node* exp = context.producer(root.input(0), OpKind::Exp);
  const Node* sum = context.producer(root.input(1), OpKind::ReduceSum);
  if (exp == nullptr || sum == nullptr || sum->input(0) != root.input(0) || !context.uses.single(root.input(1)))
    return std::nullopt;
  if (context.uses.of(root.input(0)).size() != 2 || context.uses.is_output(root.input(0))) return std::nullopt;
  const Node* difference = context.producer(exp->input(0), OpKind::Sub);
  if (difference == nullptr || !context.uses.single(exp->input(0))) return std::nullopt;
  const Node* largest = context.producer(difference->input(1), OpKind::ReduceMax);
  const ValueId x = difference->input(0);
  if (largest == nullptr || largest->input(0) != x || !context.uses.single(difference->input(1))) return std::nullopt;
  const auto axis = reduced_axis(context, *sum);
  if (!axis || axis != reduced_axis(context, *largest)) return std::nullopt;
  GraphEdit edit(context.graph, cat(root.name, " is a Softmax"));
  edit.replace(root.output(), edit.add_node(OpKind::Softmax, {x}, {{"axis", *axis}}, root.name));
  return edit;
}

}  // namespace

std::vector<Rule> fuse_softmax_rules() {
  return {{"fuse-softmax", Exactness::Rounding, {OpKind::Div}, fuse_softmax}};
}

}  // namespace adze::rewrite
