#include "adze/engine/kernels/spmm_s8/spmm_s8.h"

#include "adze/base/error.h"

namespace adze::kernels {

#define ADZE_SPMM_S8(name, isa) void name(const SpmmS8Call&);
#include "adze/engine/kernels/spmm_s8/spmm_s8.def"
#undef ADZE_SPMM_S8

std::span<const SpmmS8Kernel> spmm_s8_kernels() {
  static const SpmmS8Kernel kernels[] = {
#define ADZE_SPMM_S8(name, isa) {#name, Isa::isa, name},
#include "adze/engine/kernels/spmm_s8/spmm_s8.def"
#undef ADZE_SPMM_S8
  };
  return kernels;
}

const SpmmS8Kernel& spmm_s8_kernel(Isa isa) {
  for (const SpmmS8Kernel& kernel : spmm_s8_kernels()) {
    if (isa_allows(isa, kernel.isa)) return kernel;
  }
  throw InternalError("spmm_s8 has no plain kernel");
}

}  // namespace adze::kernels
