#include "adze/engine/kernels/pool_s8/pool_s8.h"

#include "adze/base/error.h"

namespace adze::kernels {

#define ADZE_POOL_S8(name, isa)                      \
  void name##_max(const PoolS8Call&, std::uint8_t*); \
  void name##_sum(const PoolS8Call&, std::int32_t*);
#include "adze/engine/kernels/pool_s8/pool_s8.def"
#undef ADZE_POOL_S8

std::span<const PoolS8Kernel> pool_s8_kernels() {
  static const PoolS8Kernel kernels[] = {
#define ADZE_POOL_S8(name, isa) {#name, Isa::isa, name##_max, name##_sum},
#include "adze/engine/kernels/pool_s8/pool_s8.def"
#undef ADZE_POOL_S8
  };
  return kernels;
}

const PoolS8Kernel& pool_s8_kernel(Isa isa) {
  for (const PoolS8Kernel& kernel : pool_s8_kernels()) {
    if (isa_allows(isa, kernel.isa)) return kernel;
  }
  throw InternalError("pool_s8 has no plain kernel");
}

}  // namespace adze::kernels
