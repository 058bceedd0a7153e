#include "adze/engine/kernels/resize_u8/resize_u8.h"

#include "adze/base/error.h"

namespace adze::kernels {

#define ADZE_RESIZE_U8(name, isa)          \
  void name##_down(const ResizeDownCall&); \
  void name##_across(const ResizeAcrossCall&);
#include "adze/engine/kernels/resize_u8/resize_u8.def"
#undef ADZE_RESIZE_U8

std::span<const ResizeU8Kernel> resize_u8_kernels() {
  static const ResizeU8Kernel kernels[] = {
#define ADZE_RESIZE_U8(name, isa) {#name, Isa::isa, name##_down, name##_across},
#include "adze/engine/kernels/resize_u8/resize_u8.def"
#undef ADZE_RESIZE_U8
  };
  return kernels;
}

const ResizeU8Kernel& resize_u8_kernel(Isa isa) {
  for (const ResizeU8Kernel& kernel : resize_u8_kernels()) {
    if (isa_allows(isa, kernel.isa)) return kernel;
  }
  throw InternalError("resize_u8 has no plain kernel");
}

}  // namespace adze::kernels
