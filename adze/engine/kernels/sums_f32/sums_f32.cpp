#include "adze/engine/kernels/sums_f32/sums_f32.h"

#include "adze/base/error.h"

namespace adze::kernels {

#define ADZE_SUMS_F32(name, isa) void name(const SumsF32Call&);
#include "adze/engine/kernels/sums_f32/sums_f32.def"
#undef ADZE_SUMS_F32

std::span<const SumsF32Kernel> sums_f32_kernels() {
  static const SumsF32Kernel kernels[] = {
#define ADZE_SUMS_F32(name, isa) {#name, Isa::isa, name},
#include "adze/engine/kernels/sums_f32/sums_f32.def"
#undef ADZE_SUMS_F32
  };
  return kernels;
}

const SumsF32Kernel& sums_f32_kernel(Isa isa) {
  for (const SumsF32Kernel& kernel : sums_f32_kernels()) {
    if (isa_allows(isa, kernel.isa)) return kernel;
  }
  throw InternalError("sums_f32 has no plain kernel");
}

}  // namespace adze::kernels
