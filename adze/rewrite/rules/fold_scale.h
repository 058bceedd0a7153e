#pragma once

#include <vector>

#include "adze/rewrite/rule.h"

namespace adze::rewrite {

/// Before  layer → Mul (or Div) by a constant that varies along the channels only
/// After   the layer with weights and bias multiplied
/// When    the layer is Conv, ConvTranspose, Gemm or MatMul with constant weights, read nowhere else
/// Rounding
std::vector<Rule> fold_scale_rules();

}  // namespace adze::rewrite
