#pragma once

#include <vector>

#include "adze/rewrite/rule.h"

namespace adze::rewrite {

/// Before  Add(MatMul(a, w), c)
/// After   Gemm(a, w, c)
/// When    a and w have rank 2, c is constant and broadcasts to the product's shape; nothing else reads the product
/// Rounding
std::vector<Rule> fuse_gemm_rules();

}  // namespace adze::rewrite
