#include "adze/engine/kernels/avx512_requantize.h"
#include "adze/engine/kernels/depthwise_s8/depthwise_s8_call.h"

namespace adze::kernels {
namespace {

inline __m512i widen(const std::uint8_t* x) {
  return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x)));
}

}  // namespace

void depthwise_s8_avx512vnni(const DepthwiseS8Call& call) {
  constexpr int together = 4;  // pixels that share a load of the weights
  for (std::int64_t c = 0; c < call.channels; c += 16) {
    const std::int16_t* weights = call.weights + c * call.tap_pairs * 2;
    const std::int64_t left = call.channels - c;
    const auto mask = static_cast<__mmask16>(left >= 16 ? 0xffff : (1u << left) - 1);
    const __m512i bias = _mm512_loadu_si512(call.stage->bias + c);
    for (std::int64_t p = 0; p < call.pixels; p += together) {
      const std::int64_t count = call.pixels - p < together ? call.pixels - p : together;
      const std::uint8_t* x[together];
      __m512i acc[together];
#pragma GCC unroll 4
      for (int i = 0; i < together; ++i) {
        x[i] = call.x + (p + (i < count ? i : 0)) * call.x_step + c;  // beyond the end: pixel p again, not stored
        acc[i] = bias;
      }
      for (std::int64_t t = 0; t < call.tap_pairs; ++t) {
        const __m512i w = _mm512_loadu_si512(weights + t * 32);
        const std::int64_t first = call.offsets[2 * t], second = call.offsets[2 * t + 1];
#pragma GCC unroll 4
        for (int i = 0; i < together; ++i) {
          const __m512i pair = _mm512_or_si512(widen(x[i] + first), _mm512_slli_epi32(widen(x[i] + second), 16));
          acc[i] = _mm512_dpwssd_epi32(acc[i], pair, w);
        }
      }
#pragma GCC unroll 4
      for (int i = 0; i < together; ++i) {
        if (i >= count) break;
        const __m128i bytes = _mm512_cvtepi32_epi8(finish(*call.stage, acc[i], c));
        _mm_mask_storeu_epi8(call.y + (p + i) * call.channels + c, mask, bytes);
      }
    }
  }
}

}  // namespace adze::kernels
