#pragma once

#include <memory>

#include "adze/engine/kernels/geometry.h"
#include "adze/engine/step.h"

namespace adze::engine {

enum class PoolF32Kind { Max, Mean, MeanWithPads };

/// A float pool from input 0 to output 0 of the node; MeanWithPads divides by the size of the window, wherever it lies.
std::unique_ptr<Step> make_pool_f32_step(const BindContext& context, const kernels::WindowGeometry& g,
                                         PoolF32Kind kind);

}  // namespace adze::engine
