#pragma once

#include "adze/engine/kernels/geometry.h"
#include "adze/engine/step.h"

namespace adze::engine {

/// The window of a convolution (kernel: the weights' shape) or pool whose tensors have channels last.
kernels::WindowGeometry geometry_of(const BindContext& context, const Shape& weights = {});

}  // namespace adze::engine
