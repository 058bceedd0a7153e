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

std::int64_t packed_depthwise_s8_count(std::int64_t channels, std::int64_t taps) {
  return (channels + 15) / 16 * ((taps + 1) / 2) * 32;
}

void pack_depthwise_s8(const std::int8_t* weights, std::int64_t channels, std::int64_t taps, std::int16_t* to) {
  const std::int64_t pairs = (taps + 1) / 2;
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t t = 0; t < taps; ++t) to[((c / 16 * pairs + t / 2) * 16 + c % 16) * 2 + t % 2] = *weights++;
  }
}

}  // namespace adze::kernels
