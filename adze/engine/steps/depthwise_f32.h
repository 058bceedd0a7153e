#pragma once

#include <memory>

#include "adze/engine/step.h"

namespace adze::engine {

/// A float convolution of which each output channel reads one input channel of its own, by kernels/depthwise_f32; null
/// for other convolutions.
std::unique_ptr<Step> bind_depthwise_f32(const BindContext& context);

}  // namespace adze::engine
