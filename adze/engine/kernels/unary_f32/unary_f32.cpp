#include "adze/engine/kernels/unary_f32/unary_f32.h"

#include "adze/base/error.h"

namespace adze::kernels {

#define ADZE_UNARY_F32(name, isa, tolerance) void name(const UnaryF32Call&);
#include "adze/engine/kernels/unary_f32/unary_f32.def"
#undef ADZE_UNARY_F32

std::span<const UnaryF32Kernel> unary_f32_kernels() {
  static const UnaryF32Kernel kernels[] = {
#define ADZE_UNARY_F32(name, isa, tolerance) {#name, Isa::isa, tolerance, name},
#include "adze/engine/kernels/unary_f32/unary_f32.def"
#undef ADZE_UNARY_F32
  };
  return kernels;
}

const UnaryF32Kernel& unary_f32_kernel(Isa isa) {
  for (const UnaryF32Kernel& kernel : unary_f32_kernels()) {
    if (isa_allows(isa, kernel.isa)) return kernel;
  }
  throw InternalError("unary_f32 has no plain kernel");
}

}  // namespace adze::kernels
