#pragma once

#include <vector>

#include "adze/rewrite/rule.h"

namespace adze::rewrite {

/// Before  e / ReduceSum(e) with e = Exp(x - ReduceMax(x)), both over one axis and with keepdims
/// After   Softmax(x) on that axis
/// When    nothing else reads a part. Without the subtraction the sums could overflow, so that form stays.
/// Rounding
std::vector<Rule> fuse_softmax_rules();

}  // namespace adze::rewrite
