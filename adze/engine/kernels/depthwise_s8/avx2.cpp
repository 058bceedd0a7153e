#include "adze/engine/kernels/avx2_requantize.h"
#include "adze/engine/kernels/depthwise_s8/depthwise_s8_call.h"

namespace adze::kernels {
namespace {

inline __m256i widen(const std::uint8_t* x) {
  return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(x)));
}

}  // namespace

void depthwise_s8_avx2(const DepthwiseS8Call& call) {
  for (std::int64_t c = 0; c < call.channels; c += 8) {
    const std::int16_t* weights = call.weights + c / 16 * call.tap_pairs * 32 + c % 16 * 2;
    const __m256i bias = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(call.stage->bias + c));
    for (std::int64_t p = 0; p < call.pixels; ++p) {
      const std::uint8_t* x = call.x + p * call.x_step + c;
      __m256i acc = bias;
      for (std::int64_t t = 0; t < call.tap_pairs; ++t) {
        const __m256i w = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights + t * 32));
        const __m256i first = widen(x + call.offsets[2 * t]), second = widen(x + call.offsets[2 * t + 1]);
        acc = _mm256_add_epi32(acc, _mm256_madd_epi16(_mm256_or_si256(first, _mm256_slli_epi32(second, 16)), w));
      }
      store_bytes(call.y + p * call.channels + c, finish(*call.stage, acc, c), call.channels - c);
    }
  }
}

}  // namespace adze::kernels
