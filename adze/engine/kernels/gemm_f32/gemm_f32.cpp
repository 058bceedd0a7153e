#include "adze/engine/kernels/gemm_f32/gemm_f32.h"

namespace adze::kernels {

#define ADZE_GEMM_F32(name, isa, tolerance) std::unique_ptr<GemmF32> name(const GemmF32Shape&, Isa);
#include "adze/engine/kernels/gemm_f32/gemm_f32.def"
#undef ADZE_GEMM_F32

std::span<const GemmF32Kernel> gemm_f32_kernels() {
  static const GemmF32Kernel kernels[] = {
#define ADZE_GEMM_F32(name, isa, tolerance) {#name, Isa::isa, tolerance, name},
#include "adze/engine/kernels/gemm_f32/gemm_f32.def"
#undef ADZE_GEMM_F32
  };
  return kernels;
}

std::unique_ptr<GemmF32> make_gemm_f32(const GemmF32Shape& shape, Isa isa) {
  for (const GemmF32Kernel& kernel : gemm_f32_kernels()) {
    if (!isa_allows(isa, kernel.isa)) continue;
    if (auto made = kernel.make(shape, isa)) return made;
  }
  return nullptr;
}

}  // namespace adze::kernels
