#pragma once

#include <span>

#include "adze/engine/isa.h"
#include "adze/engine/kernels/depthwise_f32/depthwise_f32_call.h"

namespace adze::kernels {

using DepthwiseF32 = void (*)(const DepthwiseF32Call&);

/// One line of depthwise_f32.def.
struct DepthwiseF32Kernel {
  const char* name;
  Isa isa;
  double tolerance;  ///< |y - reference| <= tolerance * (1 + sum of |x * w|)
  DepthwiseF32 run;
};
std::span<const DepthwiseF32Kernel> depthwise_f32_kernels();
/// The first kernel of the table that the instruction set allows.
const DepthwiseF32Kernel& depthwise_f32_kernel(Isa isa);

}  // namespace adze::kernels
