#pragma once

#include <vector>

#include "adze/rewrite/rule.h"

namespace adze::rewrite {

/// Before  Pad(x, constant amounts) → Conv, AveragePool or MaxPool
/// After   the window operator with larger pads
/// When    the amounts are ≥ 0 and on spatial axes only, pads are explicit, and what is padded is what the operator
///         pads itself: zeros for Conv and AveragePool (which then counts the padding: count_include_pad, no
///         ceil_mode), -∞ for MaxPool. Pools: pads stay below the window, as ONNX Runtime asks.
/// Exact
std::vector<Rule> fold_pad_rules();

}  // namespace adze::rewrite
