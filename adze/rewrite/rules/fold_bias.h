#pragma once

#include <vector>

#include "adze/rewrite/rule.h"

namespace adze::rewrite {

/// Before  layer → Add (or Sub) of a constant that varies along the channels only
/// After   the layer with that much more bias
/// When    the layer is Conv, ConvTranspose or Gemm with constant weights, read nowhere else
/// Exact when the layer had no bias, else Rounding
std::vector<Rule> fold_bias_rules();

}  // namespace adze::rewrite
