#include "adze/engine/kernels/depthwise_s8/depthwise_s8.h"

#include "adze/base/error.h"

namespace adze::kernels {

#define ADZE_DEPTHWISE_S8(name, isa) void name(const DepthwiseS8Call&);
#include "adze/engine/kernels/depthwise_s8/depthwise_s8.def"
#undef ADZE_DEPTHWISE_S8

std::span<const DepthwiseS8Kernel> depthwise_s8_kernels() {
  static const DepthwiseS8Kernel kernels[] = {
#define ADZE_DEPTHWISE_S8(name, isa) {#name, Isa::isa, name},
#include "adze/engine/kernels/depthwise_s8/depthwise_s8.def"
#undef ADZE_DEPTHWISE_S8
  };
  return kernels;
}

const DepthwiseS8Kernel& depthwise_s8_kernel(Isa isa) {
  for (const DepthwiseS8Kernel& kernel : depthwise_s8_kernels()) {
    if (isa_allows(isa, kernel.isa)) return kernel;
  }
  throw InternalError("depthwise_s8 has no plain kernel");
}

std::vector<std::int16_t> pack_depthwise_s8(const std::vector<std::int8_t>& weights, std::int64_t channels,
                                            std::int64_t taps) {
  const std::int64_t pairs = (taps + 1) / 2, blocks = (channels + 15) / 16;
  std::vector<std::int16_t> packed(static_cast<std::size_t>(blocks * pairs * 32), 0);
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t t = 0; t < taps; ++t) {
      const std::int64_t at = ((c / 16 * pairs + t / 2) * 16 + c % 16) * 2 + t % 2;
      packed[static_cast<std::size_t>(at)] = weights[static_cast<std::size_t>(c * taps + t)];
    }
  }
  return packed;
}

}  // namespace adze::kernels
