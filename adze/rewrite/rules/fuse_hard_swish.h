#pragma once

#include <vector>

#include "adze/rewrite/rule.h"

namespace adze::rewrite {

/// Before  x · Clip(x + 3, 0, 6) / 6, or x · HardSigmoid(x) with alpha 1/6 and beta 1/2; the factors in any order
/// After   HardSwish(x)
/// When    nothing else reads a part. (SiLU, x · Sigmoid(x), has no operator in opset 21 and stays.)
/// Rounding
std::vector<Rule> fuse_hard_swish_rules();

}  // namespace adze::rewrite
