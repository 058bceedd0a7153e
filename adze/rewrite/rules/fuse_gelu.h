#pragma once

#include <vector>

#include "adze/rewrite/rule.h"

namespace adze::rewrite {

/// Before  0.5 · x · (1 + Erf(x / √2)), the factors in any order and nesting
/// After   Gelu(x)
/// When    x is a float tensor, the constants are right to 2e-4 (f16 exports round them), nothing else reads a part
/// Rounding
/// Source  ONNX operator Gelu, opset 20
std::vector<Rule> fuse_gelu_rules();

}  // namespace adze::rewrite
