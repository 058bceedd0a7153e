#pragma once

#include <vector>

#include "adze/rewrite/rule.h"

namespace adze::rewrite {

/// Before  d / √(mean(d²) + ε) · gamma + beta with d = x - mean(x), the means over the last axes and with keepdims
/// After   LayerNormalization(x, gamma, beta)
/// When    gamma and beta are constants that span exactly those axes; nothing else reads a part
/// Rounding
/// Source  Ba et al., Layer Normalization, 2016 (arXiv 1607.06450)
std::vector<Rule> fuse_layer_norm_rules();

}  // namespace adze::rewrite
