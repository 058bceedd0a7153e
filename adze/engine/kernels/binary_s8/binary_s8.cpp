#include "adze/engine/kernels/binary_s8/binary_s8.h"

#include "adze/base/error.h"

namespace adze::kernels {

#define ADZE_BINARY_S8(name, isa) void name(const BinaryS8Call&);
#include "adze/engine/kernels/binary_s8/binary_s8.def"
#undef ADZE_BINARY_S8

std::span<const BinaryS8Kernel> binary_s8_kernels() {
  static const BinaryS8Kernel kernels[] = {
#define ADZE_BINARY_S8(name, isa) {#name, Isa::isa, name},
#include "adze/engine/kernels/binary_s8/binary_s8.def"
#undef ADZE_BINARY_S8
  };
  return kernels;
}

const BinaryS8Kernel& binary_s8_kernel(Isa isa) {
  for (const BinaryS8Kernel& kernel : binary_s8_kernels()) {
    if (isa_allows(isa, kernel.isa)) return kernel;
  }
  throw InternalError("binary_s8 has no plain kernel");
}

}  // namespace adze::kernels
