#include "adze/engine/kernels/depthwise_s8/depthwise_s8.h"
#include "adze/engine/kernels/ref_requantize.h"

namespace adze::kernels {

void depthwise_s8_ref(const DepthwiseS8Call& call) {
  for (std::int64_t p = 0; p < call.pixels; ++p) {
    const std::uint8_t* x = call.x + p * call.x_step;
    for (std::int64_t c = 0; c < call.channels; ++c) {
      const std::int16_t* weights = call.weights + (c / 16 * call.tap_pairs * 16 + c % 16) * 2;
      auto acc = static_cast<std::uint32_t>(call.stage->bias[c]);
      for (std::int64_t t = 0; t < call.tap_pairs; ++t, weights += 32) {
        const std::int32_t pair = x[call.offsets[2 * t] + c] * weights[0] + x[call.offsets[2 * t + 1] + c] * weights[1];
        acc += static_cast<std::uint32_t>(pair);
      }
      call.y[p * call.channels + c] = finish_one(*call.stage, static_cast<std::int32_t>(acc), c);
    }
  }
}

}  // namespace adze::kernels
