#pragma once

#include <vector>

#include "adze/rewrite/rule.h"

namespace adze::rewrite {

/// Before  DequantizeLinear → movement → …; movement → QuantizeLinear; Concat of DequantizeLinears → QuantizeLinear,
/// all
///         with the same scale and zero point
/// After   movement → DequantizeLinear; QuantizeLinear → movement; Concat of the codes
/// When    one scale for the whole tensor (Transpose also one a channel); nothing else reads the value in between.
///         Movement: Transpose, Reshape, Flatten, Squeeze, Unsqueeze, Slice, Expand, Tile, Gather, SpaceToDepth,
///         DepthToSpace. MaxPool only moves elements too, but stays where it is: kernels expect it between its pair.
///         DequantizeLinear only moves down and QuantizeLinear only up, so this comes to an end.
/// Exact
std::vector<Rule> propagate_qdq_rules();

}  // namespace adze::rewrite
