#pragma once

#include <vector>

#include "adze/rewrite/rule.h"

namespace adze::rewrite {

/// Before  a chain of Reshape, Flatten, Squeeze and Unsqueeze; or one Reshape to a computed shape; or a Transpose that
///         only moves axes of size 1
/// After   one Reshape to a constant shape
/// When    at most one dimension of the result is unknown, and no dimension is 0
/// Exact
std::vector<Rule> merge_reshapes_rules();

}  // namespace adze::rewrite
