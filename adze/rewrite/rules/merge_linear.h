#pragma once

#include <vector>

#include "adze/rewrite/rule.h"

namespace adze::rewrite {

/// Before  second(first(x)), both convolutions or both matrix products with constant weights
/// After   one layer whose weights are the product of both
/// When    that takes fewer multiply-accumulates; nothing else reads what is between; of convolutions the second adds
/// no
///         padding, or the first is 1x1 without bias (else the padding is not what the first would give there)
/// Rounding
std::vector<Rule> merge_linear_rules();

}  // namespace adze::rewrite
