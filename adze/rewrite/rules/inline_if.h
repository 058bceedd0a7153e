#pragma once

#include <vector>

#include "adze/rewrite/rule.h"

namespace adze::rewrite {

/// Before  If(constant) { then_branch, else_branch }
/// After   the nodes of the branch that is taken
/// When    the condition is a constant of one element
/// Exact
std::vector<Rule> inline_if_rules();

}  // namespace adze::rewrite
