#pragma once

#include <vector>

#include "adze/rewrite/rule.h"

namespace adze::rewrite {

/// Before  a node that returns its input: Identity, Dropout in inference, Cast to the same dtype; Transpose, Reshape,
///         Expand, Tile, Pad, Slice, Squeeze, Unsqueeze, Flatten, Concat or Sum of one … that change nothing; x + 0,
///         x - 0, x × 1, x / 1, x ^ 1
/// After   its input
/// When    the shape certainly stays; an output of the graph that is an input, a constant or another output keeps its
///         Identity, because it needs a node to carry its name
/// Exact   (-0 + 0 becomes -0)
std::vector<Rule> remove_identities_rules();

}  // namespace adze::rewrite
