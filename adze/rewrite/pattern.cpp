#include "adze/rewrite/pattern.h"

#include <cmath>

namespace adze::rewrite {

namespace {

/// The scalar, if it cannot raise the rank of what it is combined with.
std::optional<double> plain_scalar(const RuleContext& context, ValueId constant, ValueId other) {
  const auto value = context.scalar(constant);
  if (!value) return std::nullopt;
  const std::int64_t rank = context.graph.constant(constant)->rank();
  if (rank > 0 && rank > context.rank(other).value_or(0)) return std::nullopt;
  return value;
}

}  // namespace

bool near(double value, double wanted) {
  return std::abs(value - wanted) <= 2e-4 * std::abs(wanted);
}

std::optional<WithScalar> split_scalar(const RuleContext& context, ValueId value, OpKind kind) {
  const Node* node = context.producer(value, kind);
  if (node == nullptr) return std::nullopt;
  if (const auto scalar = plain_scalar(context, node->input(1), node->input(0)))
    return WithScalar{node->input(0), *scalar};
  if (kind != OpKind::Add && kind != OpKind::Mul) return std::nullopt;
  if (const auto scalar = plain_scalar(context, node->input(0), node->input(1)))
    return WithScalar{node->input(1), *scalar};
  return std::nullopt;
}

Product factors_of(const RuleContext& context, const Node& root) {
  constexpr std::size_t most = 8;
  Product product;
  std::vector<const Node*> open = {&root};
  while (!open.empty() && product.factors.size() < most) {
    const Node& node = *open.back();
    open.pop_back();
    for (std::size_t side = 0; side < 2; ++side) {
      const ValueId input = node.input(side);
      const bool is_divisor = node.kind == OpKind::Div && side == 1;
      if (const auto scalar = plain_scalar(context, input, node.input(1 - side))) {
        product.constant *= is_divisor ? 1 / *scalar : *scalar;
        if (node.kind == OpKind::Div && side == 0) return {};
        continue;
      }
      if (is_divisor) return {};
      const Node* inner = context.graph.producer_of(input);
      const bool is_inner =
          inner != nullptr && (inner->kind == OpKind::Mul || inner->kind == OpKind::Div) && context.uses.single(input);
      if (is_inner) {
        open.push_back(inner);
      } else {
        product.factors.push_back(input);
      }
    }
  }
  return product;
}

}  // namespace adze::rewrite
