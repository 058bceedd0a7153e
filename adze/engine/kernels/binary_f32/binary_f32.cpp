#include "adze/engine/kernels/binary_f32/binary_f32.h"

#include "adze/base/error.h"

namespace adze::kernels {

#define ADZE_BINARY_F32(name, isa) void name(const BinaryF32Call&);
#include "adze/engine/kernels/binary_f32/binary_f32.def"
#undef ADZE_BINARY_F32

std::span<const BinaryF32Kernel> binary_f32_kernels() {
  static const BinaryF32Kernel kernels[] = {
#define ADZE_BINARY_F32(name, isa) {#name, Isa::isa, name},
#include "adze/engine/kernels/binary_f32/binary_f32.def"
#undef ADZE_BINARY_F32
  };
  return kernels;
}

const BinaryF32Kernel& binary_f32_kernel(Isa isa) {
  for (const BinaryF32Kernel& kernel : binary_f32_kernels()) {
    if (isa_allows(isa, kernel.isa)) return kernel;
  }
  throw InternalError("binary_f32 has no plain kernel");
}

}  // namespace adze::kernels
