#include "adze/engine/kernels/softmax_u8/softmax_u8.h"

#include "adze/base/error.h"

namespace adze::kernels {

#define ADZE_SOFTMAX_U8(name, isa) void name(const SoftmaxU8Call&);
#include "adze/engine/kernels/softmax_u8/softmax_u8.def"
#undef ADZE_SOFTMAX_U8

std::span<const SoftmaxU8Kernel> softmax_u8_kernels() {
  static const SoftmaxU8Kernel kernels[] = {
#define ADZE_SOFTMAX_U8(name, isa) {#name, Isa::isa, name},
#include "adze/engine/kernels/softmax_u8/softmax_u8.def"
#undef ADZE_SOFTMAX_U8
  };
  return kernels;
}

const SoftmaxU8Kernel& softmax_u8_kernel(Isa isa) {
  for (const SoftmaxU8Kernel& kernel : softmax_u8_kernels()) {
    if (isa_allows(isa, kernel.isa)) return kernel;
  }
  throw InternalError("softmax_u8 has no plain kernel");
}

}  // namespace adze::kernels
