#pragma once

#include <vector>

#include "adze/rewrite/rule.h"

namespace adze::rewrite {

/// Before  QuantizeLinear(DequantizeLinear(q)) with the same scale and zero point
/// After   q
/// When    8 bits or fewer (codes of more bits may not survive the float in between), one finite positive scale or one
///         a channel of the same axis, and the same dtype. DequantizeLinear(QuantizeLinear(x)) stays: it rounds.
/// Exact
std::vector<Rule> remove_qdq_pairs_rules();

}  // namespace adze::rewrite
