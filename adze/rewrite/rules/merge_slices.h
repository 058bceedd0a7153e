#pragma once

#include <vector>

#include "adze/rewrite/rule.h"

namespace adze::rewrite {

/// Before  Concat of all outputs of a Split in order on the same axis; Slice → Slice with different axes and steps of 1
/// After   the Split's input; one Slice
/// When    starts, ends and axes are constants; nothing else reads the first Slice
/// Exact
std::vector<Rule> merge_slices_rules();

}  // namespace adze::rewrite
