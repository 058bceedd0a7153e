#pragma once

#include <vector>

#include "adze/rewrite/rule.h"

namespace adze::rewrite {

/// Before  Relu or Clip after Relu or Clip, with constant bounds
/// After   one Clip, or Relu when the bounds are 0 and ∞
/// When    each has its lower bound ≤ its upper bound, and nothing else reads the first
/// Exact
std::vector<Rule> merge_clips_rules();

}  // namespace adze::rewrite
