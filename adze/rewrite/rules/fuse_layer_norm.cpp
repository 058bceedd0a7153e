#include "adze/rewrite/rules/fuse_layer_norm.h"

#include <algorithm>

#include "adze/base/text.h"
#include "adze/rewrite/pattern.h"

namespace adze::rewrite {

namespace {

/// The first of the last axes that a mean with keepdims reduces.
std::optional<std::int64_t> first_of_last_axes(const RuleContext& context, const Node& mean) {
  auto axes = context.ints(mean.input(1));
  const auto rank = context.rank(mean.input(0));
  if (!axes || axes->empty() || !rank || mean.get_int("keepdims") == 0) return std::nullopt;
  for (std::int64_t& axis : *axes) axis = normalize_axis(axis, *rank);
  std::sort(axes->begin(), axes->end());
  for (std::size_t i = 0; i < axes->size(); ++i) {
    if ((*axes)[i] != *rank - std::ssize(*axes) + static_cast<std::int64_t>(i)) return std::nullopt;
  }
  return (*axes)[0];
}

/// d when value is d² as Pow(d, 2) or Mul(d, d).
ValueId square_root_of(const RuleContext& context, ValueId value) {
  if (const Node* pow = context.producer(value, OpKind::Pow)) {
    return context.scalar(pow->input(1)) == 2.0 ? pow->input(0) : ValueId::None;
  }
  const Node* mul = context.producer(value, OpKind::Mul);
  return mul != nullptr && mul->input(0) == mul->input(1) ? mul->input(0) : ValueId::None;
}

struct Normalized {
  ValueId x = ValueId::None;
  std::int64_t axis = 0;
  double epsilon = 0;
};

/// value as (x - mean(x)) / √(var(x) + ε).
std::optional<Normalized> normalized(const RuleContext& context, ValueId value) {
  const Node* div = context.producer(value, OpKind::Div);
  if (div == nullptr || !context.uses.single(value)) return std::nullopt;
  const ValueId d = div->input(0);
  const Node* sqrt = context.producer(div->input(1), OpKind::Sqrt);
  const Node* difference = context.producer(d, OpKind::Sub);
  if (sqrt == nullptr || difference == nullptr || !context.uses.single(div->input(1))) return std::nullopt;
  const auto sum =
      context.uses.single(sqrt->input(0)) ? split_scalar(context, sqrt->input(0), OpKind::Add) : std::nullopt;
  if (!sum || !context.uses.single(sum->other)) return std::nullopt;
  const Node* variance = context.producer(sum->other, OpKind::ReduceMean);
  const Node* mean = context.producer(difference->input(1), OpKind::ReduceMean);
  if (variance == nullptr || mean == nullptr || !context.uses.single(difference->input(1))) return std::nullopt;
  if (square_root_of(context, variance->input(0)) != d || !context.uses.single(variance->input(0))) return std::nullopt;
  if (mean->input(0) != difference->input(0)) return std::nullopt;
  const auto axis = first_of_last_axes(context, *variance);
  if (!axis || axis != first_of_last_axes(context, *mean)) return std::nullopt;
  // d is read by the division and by the square (twice when that is a Mul), and by nothing else.
  const auto readers = context.uses.of(d);
  const bool is_own = std::ranges::all_of(readers, [&](NodeId reader) {
    const Node& node = context.node(reader);
    return &node == div || node.output() == variance->input(0);
  });
  if (!is_own || context.uses.is_output(d)) return std::nullopt;
  return Normalized{difference->input(0), *axis, sum->scalar};
}

/// The constant among the two inputs of a binary node, and the other one.
std::optional<std::pair<ValueId, ValueId>> split_constant(const RuleContext& context, const Node& node) {
  for (std::size_t side = 0; side < 2; ++side) {
    if (context.graph.constant(node.input(side)) != nullptr) return std::pair(node.input(side), node.input(1 - side));
  }
  return std::nullopt;
}

std::optional<GraphEdit> fuse_layer_norm(const RuleContext& context, NodeId id) {
  const Node& add = context.node(id);
  const auto beta = split_constant(context, add);
  const Node* mul = beta && context.uses.single(beta->second) ? context.producer(beta->second, OpKind::Mul) : nullptr;
  const auto gamma = mul != nullptr ? split_constant(context, *mul) : std::nullopt;
  const auto core = gamma ? normalized(context, gamma->second) : std::nullopt;
  if (!core) return std::nullopt;
  const SymbolicShape* shape = context.shape(core->x);
  if (shape == nullptr || !is_float(context.dtype(core->x))) return std::nullopt;
  const auto spanned = concrete(SymbolicShape(shape->begin() + core->axis, shape->end()));
  if (!spanned || context.graph.constant(gamma->first)->shape() != *spanned ||
      context.graph.constant(beta->first)->shape() != *spanned) {
    return std::nullopt;
  }
  GraphEdit edit(context.graph, cat(add.name, " ends a LayerNormalization"));
  edit.replace(add.output(),
               edit.add_node(OpKind::LayerNormalization, {core->x, gamma->first, beta->first},
                             {{"axis", core->axis}, {"epsilon", static_cast<float>(core->epsilon)}}, add.name));
  return edit;
}

}  // namespace

std::vector<Rule> fuse_layer_norm_rules() {
  return {{"fuse-layer-norm", Exactness::Rounding, {OpKind::Add}, fuse_layer_norm}};
}

}  // namespace adze::rewrite
