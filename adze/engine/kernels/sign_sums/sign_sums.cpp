#include "adze/engine/kernels/sign_sums/sign_sums.h"

#include "adze/base/error.h"

namespace adze::kernels {

#define ADZE_SIGN_SUMS(name, pack, isa) \
  void name(const SignSumsCall&);       \
  void pack(const SignPackCall&);
#include "adze/engine/kernels/sign_sums/sign_sums.def"
#undef ADZE_SIGN_SUMS

std::span<const SignSumsKernel> sign_sums_kernels() {
  static const SignSumsKernel kernels[] = {
#define ADZE_SIGN_SUMS(name, pack, isa) {#name, Isa::isa, name, pack},
#include "adze/engine/kernels/sign_sums/sign_sums.def"
#undef ADZE_SIGN_SUMS
  };
  return kernels;
}

const SignSumsKernel& sign_sums_kernel(Isa isa) {
  for (const SignSumsKernel& kernel : sign_sums_kernels()) {
    if (isa_allows(isa, kernel.isa)) return kernel;
  }
  throw InternalError("sign_sums has no plain kernel");
}

void pack_sign_weights(const SignLayout& layout,
                       const std::function<float(std::int64_t tap, std::int64_t input, std::int64_t column)>& weight,
                       std::uint64_t* packed) {
  const std::int64_t width = layout.ternary ? 16 : 8;
  for (std::int64_t j = 0; j < layout.columns; ++j) {
    std::uint64_t* column = packed + j / 8 * layout.words() * width + j % 8;
    for (std::int64_t tap = 0; tap < layout.taps; ++tap) {
      for (std::int64_t i = 0; i < layout.inputs; ++i) {
        std::uint64_t* word = column + (tap * layout.tap_words() + i / 64) * width;
        const float value = weight(tap, i, j);
        if (value < 0.0f) word[0] |= std::uint64_t{1} << (i % 64);
        if (layout.ternary && value != 0.0f) word[8] |= std::uint64_t{1} << (i % 64);
      }
    }
  }
}

}  // namespace adze::kernels
