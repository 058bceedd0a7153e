#include "adze/engine/kernels/spmm_f32/spmm_f32.h"

#include "adze/base/error.h"

namespace adze::kernels {

#define ADZE_SPMM_F32(name, isa, lanes, single, blocks, single_time, block_time, tolerance) \
  void name(const SpmmF32Call&);
#include "adze/engine/kernels/spmm_f32/spmm_f32.def"
#undef ADZE_SPMM_F32

std::span<const SpmmF32Kernel> spmm_f32_kernels() {
  static const SpmmF32Kernel kernels[] = {
#define ADZE_SPMM_F32(name, isa, lanes, single, blocks, single_time, block_time, tolerance) \
  {#name, Isa::isa, lanes, single, blocks, single_time, block_time, tolerance, name},
#include "adze/engine/kernels/spmm_f32/spmm_f32.def"
#undef ADZE_SPMM_F32
  };
  return kernels;
}

const SpmmF32Kernel& spmm_f32_kernel(Isa isa) {
  for (const SpmmF32Kernel& kernel : spmm_f32_kernels()) {
    if (isa_allows(isa, kernel.isa)) return kernel;
  }
  throw InternalError("spmm_f32 has no plain kernel");
}

}  // namespace adze::kernels
