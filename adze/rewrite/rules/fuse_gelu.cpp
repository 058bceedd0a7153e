#include "adze/rewrite/rules/fuse_gelu.h"

#include <algorithm>
#include <cmath>

#include "adze/base/text.h"
#include "adze/rewrite/pattern.h"

namespace adze::rewrite {

namespace {

/// x when value is Erf(x / √2).
ValueId erf_argument(const RuleContext& context, ValueId value) {
  const Node* erf = context.producer(value, OpKind::Erf);
  if (erf == nullptr || !context.uses.single(value)) return ValueId::None;
  if (!context.uses.single(erf->input(0))) return ValueId::None;
  if (const auto by = split_scalar(context, erf->input(0), OpKind::Mul); by && near(by->scalar, std::sqrt(0.5)))
    return by->other;
  if (const auto by = split_scalar(context, erf->input(0), OpKind::Div); by && near(by->scalar, std::sqrt(2.0)))
    return by->other;
  return ValueId::None;
}

std::optional<GraphEdit> fuse_gelu(const RuleContext& context, NodeId id) {
  const Node& root = context.node(id);
  const Product product = factors_of(context, root);
  if (product.factors.size() != 2 || !near(product.constant, 0.5)) return std::nullopt;
  for (std::size_t i = 0; i < 2; ++i) {
    if (!context.uses.single(product.factors[i])) continue;
    const auto sum = split_scalar(context, product.factors[i], OpKind::Add);
    if (!sum || sum->scalar != 1) continue;
    const ValueId x = product.factors[1 - i];
    if (erf_argument(context, sum->other) != x || context.dtype(x) != context.dtype(root.output())) continue;
    GraphEdit edit(context.graph, cat(root.name, " is a Gelu"));
    edit.replace(root.output(), edit.add_node(OpKind::Gelu, {x}, {}, root.name));
    return edit;
  }
  return std::nullopt;
}

}  // namespace

std::vector<Rule> fuse_gelu_rules() {
  return {{"fuse-gelu", Exactness::Rounding, {OpKind::Mul, OpKind::Div}, fuse_gelu}};
}

}  // namespace adze::rewrite
