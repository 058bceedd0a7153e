#include <bit>
#include <cmath>

#include "adze/engine/kernels/f32_plain.h"
#include "adze/engine/kernels/sign_sums/sign_sums_call.h"

namespace adze::kernels {

void sign_pack_ref(const SignPackCall& call) {
  for (std::int64_t w = 0; w * 64 < call.count; ++w) {
    call.negatives[w] = call.nonzeros[w] = 0;
    for (std::int64_t i = w * 64; i < call.count && i < w * 64 + 64; ++i) {
      if (call.x[i] < 0.0f) call.negatives[w] |= std::uint64_t{1} << (i % 64);
      if (call.x[i] != 0.0f) call.nonzeros[w] |= std::uint64_t{1} << (i % 64);
    }
  }
}

void sign_sums_ref(const SignSumsCall& call) {
  const std::int64_t width = call.ternary ? 16 : 8;
  for (std::int64_t r = 0; r < call.rows; ++r) {
    for (std::int64_t j = 0; j < call.columns; ++j) {
      const std::uint64_t* weights = call.weights + j / 8 * call.words * width + j % 8;
      std::int32_t sum = 0;
      for (std::int64_t w = 0; w < call.words; ++w, weights += width) {
        std::uint64_t both = call.nonzeros[r * call.words + w];
        if (call.ternary) both &= weights[8];
        sum += std::popcount(both) - 2 * std::popcount((call.negatives[r * call.words + w] ^ weights[0]) & both);
      }
      const float y = std::fma(static_cast<float>(sum), call.scales[j], call.bias[j]);
      call.y[r * call.y_stride + j] = F32Plain::clamp(y, call.low, call.high);
    }
  }
}

}  // namespace adze::kernels
