#include "adze/engine/kernels/pool_f32/pool_f32.h"

#include "adze/base/error.h"

namespace adze::kernels {

#define ADZE_POOL_F32(name, isa) void name(const PoolF32Call&);
#include "adze/engine/kernels/pool_f32/pool_f32.def"
#undef ADZE_POOL_F32

std::span<const PoolF32Kernel> pool_f32_kernels() {
  static const PoolF32Kernel kernels[] = {
#define ADZE_POOL_F32(name, isa) {#name, Isa::isa, name},
#include "adze/engine/kernels/pool_f32/pool_f32.def"
#undef ADZE_POOL_F32
  };
  return kernels;
}

const PoolF32Kernel& pool_f32_kernel(Isa isa) {
  for (const PoolF32Kernel& kernel : pool_f32_kernels()) {
    if (isa_allows(isa, kernel.isa)) return kernel;
  }
  throw InternalError("pool_f32 has no plain kernel");
}

}  // namespace adze::kernels
