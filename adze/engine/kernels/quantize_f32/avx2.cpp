#include "adze/engine/kernels/avx2_requantize.h"
#include "adze/engine/kernels/quantize_f32/quantize_f32_call.h"

namespace adze::kernels {

void quantize_f32_avx2(const QuantizeF32Call& call, const float* real, std::uint8_t* quantized) {
  const __m256 scale = _mm256_set1_ps(call.scale);
  const __m256 low = _mm256_set1_ps(static_cast<float>(call.low - call.zero_point));
  const __m256 high = _mm256_set1_ps(static_cast<float>(call.high - call.zero_point));
  const __m256i zero_point = _mm256_set1_epi32(call.zero_point), flip = _mm256_set1_epi32(call.flip);
  float rest[8] = {};
  for (std::int64_t i = 0; i < call.count; i += 8) {
    const float* from = real + i;
    if (call.count - i < 8) {
      for (std::int64_t j = i; j < call.count; ++j) rest[j - i] = real[j];
      from = rest;
    }
    const __m256 scaled = _mm256_div_ps(_mm256_loadu_ps(from), scale);
    const __m256 number = _mm256_and_ps(scaled, _mm256_cmp_ps(scaled, scaled, _CMP_ORD_Q));
    const __m256i rounded = _mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps(number, low), high));
    store_bytes(quantized + i, _mm256_xor_si256(_mm256_add_epi32(rounded, zero_point), flip), call.count - i);
  }
}

void dequantize_f32_avx2(const QuantizeF32Call& call, const std::uint8_t* quantized, float* real) {
  const __m256 scale = _mm256_set1_ps(call.scale);
  const __m256i zero_point = _mm256_set1_epi32(call.zero_point), flip = _mm256_set1_epi32(call.flip);
  std::int64_t i = 0;
  for (; i + 8 <= call.count; i += 8) {
    const __m256i bytes = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(quantized + i)));
    const __m256i offset = _mm256_sub_epi32(_mm256_xor_si256(bytes, flip), zero_point);
    _mm256_storeu_ps(real + i, _mm256_mul_ps(_mm256_cvtepi32_ps(offset), scale));
  }
  for (; i < call.count; ++i) {
    real[i] = static_cast<float>((quantized[i] ^ call.flip) - call.zero_point) * call.scale;
  }
}

/// The second operand of a minimum is the result where one is no number.
RangeF32 range_f32_avx2(const float* x, std::int64_t count) {
  __m256 low[2] = {}, high[2] = {};
  std::int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
    for (int v = 0; v < 2; ++v) {
      const __m256 values = _mm256_loadu_ps(x + i + 8 * v);
      low[v] = _mm256_min_ps(values, low[v]);
      high[v] = _mm256_max_ps(values, high[v]);
    }
  }
  alignas(32) float least[8], most[8];
  _mm256_store_ps(least, _mm256_min_ps(low[0], low[1]));
  _mm256_store_ps(most, _mm256_max_ps(high[0], high[1]));
  RangeF32 range;
  for (int v = 0; v < 8; ++v) {
    range.low = least[v] < range.low ? least[v] : range.low;
    range.high = most[v] > range.high ? most[v] : range.high;
  }
  for (; i < count; ++i) {
    range.low = x[i] < range.low ? x[i] : range.low;
    range.high = x[i] > range.high ? x[i] : range.high;
  }
  return range;
}

}  // namespace adze::kernels
