#pragma once

#include <vector>

#include "adze/rewrite/rule.h"

namespace adze::rewrite {

/// Before  a node whose inputs are all constant; or an integer value whose content follows from known shapes
///         (Shape, Gather, Concat … chains)
/// After   a constant
/// When    the evaluator can compute it, the result fits max_fold_bytes, and it is at most 64 KiB larger than the
///         constants that go with it: a file does not grow by an expanded constant. Random operators and operators
///         with subgraphs stay. DequantizeLinear stays: it is how a quantized weight is stored.
/// Exact
std::vector<Rule> fold_constants_rules();

}  // namespace adze::rewrite
