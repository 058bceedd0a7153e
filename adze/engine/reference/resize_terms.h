#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "adze/graph/graph.h"

namespace adze::reference::neural {

/// Of each output position along an axis the input positions and weights whose products are added up in this order;
/// empty for an axis that stays as it is.
using ResizeTerms = std::vector<std::vector<std::pair<std::int64_t, double>>>;

/// What the reference's Resize from shape x to shape y does along each axis, first to last, in double precision. scales
/// or sizes: the one that is given, the other null. Not for crops.
std::vector<ResizeTerms> resize_terms(const Node& node, const Shape& x, const Shape& y, const Tensor* scales,
                                      const Tensor* sizes);

}  // namespace adze::reference::neural
