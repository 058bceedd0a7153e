#pragma once

#include <memory>

#include "adze/engine/kernels/geometry.h"
#include "adze/engine/step.h"

namespace adze::engine {

/// The step of a QConv with channels last.
std::unique_ptr<Step> bind_quantized_conv(const BindContext& context);

/// The step of a QGemm: a 1 × 1 convolution over rows.
std::unique_ptr<Step> bind_quantized_gemm(const BindContext& context);

}  // namespace adze::engine
