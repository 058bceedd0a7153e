#pragma once

#include <optional>
#include <vector>

#include "adze/rewrite/rule.h"

namespace adze::rewrite {

/// Equal up to a relative 2e-4: constants of formulas, as exporters round them.
bool near(double value, double wanted);

/// One operand and the constant scalar that it is combined with.
struct WithScalar {
  ValueId other = ValueId::None;
  double scalar = 0;
};

/// value as kind(other, scalar), also the other way round where the operator commutes (Add, Mul). The scalar must not
/// have a higher rank than the operand.
std::optional<WithScalar> split_scalar(const RuleContext& context, ValueId value, OpKind kind);

/// A product of values and one constant.
struct Product {
  double constant = 1;
  std::vector<ValueId> factors;
};

/// The factors of a tree of Mul (and Div by scalars) whose inner values are read by the tree alone.
Product factors_of(const RuleContext& context, const Node& root);

}  // namespace adze::rewrite
