#include "adze/engine/kernels/conv_f32/conv_f32.h"

namespace adze::kernels {

#define ADZE_CONV_F32(name, isa, tolerance) \
  std::unique_ptr<ConvF32> name(const WindowGeometry&, const ConvF32Weights&, Isa);
#include "adze/engine/kernels/conv_f32/conv_f32.def"
#undef ADZE_CONV_F32

std::span<const ConvF32Kernel> conv_f32_kernels() {
  static const ConvF32Kernel kernels[] = {
#define ADZE_CONV_F32(name, isa, tolerance) {#name, Isa::isa, tolerance, name},
#include "adze/engine/kernels/conv_f32/conv_f32.def"
#undef ADZE_CONV_F32
  };
  return kernels;
}

std::unique_ptr<ConvF32> make_conv_f32(const WindowGeometry& geometry, const ConvF32Weights& weights, Isa isa) {
  for (const ConvF32Kernel& kernel : conv_f32_kernels()) {
    if (!isa_allows(isa, kernel.isa)) continue;
    if (auto made = kernel.make(geometry, weights, isa)) return made;
  }
  return nullptr;
}

}  // namespace adze::kernels
