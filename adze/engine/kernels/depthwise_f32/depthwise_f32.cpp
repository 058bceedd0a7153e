#include "adze/engine/kernels/depthwise_f32/depthwise_f32.h"

#include "adze/base/error.h"

namespace adze::kernels {

#define ADZE_DEPTHWISE_F32(name, isa, tolerance) void name(const DepthwiseF32Call&);
#include "adze/engine/kernels/depthwise_f32/depthwise_f32.def"
#undef ADZE_DEPTHWISE_F32

std::span<const DepthwiseF32Kernel> depthwise_f32_kernels() {
  static const DepthwiseF32Kernel kernels[] = {
#define ADZE_DEPTHWISE_F32(name, isa, tolerance) {#name, Isa::isa, tolerance, name},
#include "adze/engine/kernels/depthwise_f32/depthwise_f32.def"
#undef ADZE_DEPTHWISE_F32
  };
  return kernels;
}

const DepthwiseF32Kernel& depthwise_f32_kernel(Isa isa) {
  for (const DepthwiseF32Kernel& kernel : depthwise_f32_kernels()) {
    if (isa_allows(isa, kernel.isa)) return kernel;
  }
  throw InternalError("depthwise_f32 has no plain kernel");
}

}  // namespace adze::kernels
