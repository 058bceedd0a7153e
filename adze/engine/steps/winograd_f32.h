#pragma once

#include <memory>

#include "adze/engine/step.h"

namespace adze::engine {

/// A float 3x3 convolution of stride 1 by Winograd's minimal filtering: transforms of kernels/winograd_f32, products of
/// kernels/dense_f32. Null for other convolutions, and where it would not be faster than the plain sums by an estimate
/// or its weights, 1.8 or 4 times as many, would be too large.
std::unique_ptr<Step> bind_winograd_f32(const BindContext& context);

}  // namespace adze::engine
