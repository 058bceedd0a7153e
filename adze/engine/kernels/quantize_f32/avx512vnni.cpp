#include <immintrin.h>

#include "adze/engine/kernels/quantize_f32/quantize_f32_call.h"

namespace adze::kernels {

namespace {

/// x / y rounded as division rounds it, from the correctly rounded reciprocal: two steps of Markstein's correction
/// (P. Markstein, IBM Journal of Research and Development 34, 1990), the first to come within an ulp. What would be
/// infinite on the way is cut off where it is far beyond a byte.
struct Divisor {
  __m512 y, reciprocal, least, most;

  explicit Divisor(float scale)
      : y(_mm512_set1_ps(scale)),
        reciprocal(_mm512_set1_ps(1.0f / scale)),
        least(_mm512_set1_ps(-65536.0f * scale)),
        most(_mm512_set1_ps(65536.0f * scale)) {}
  __m512 divide(__m512 given) const {
    const __m512 x = _mm512_min_ps(most, _mm512_max_ps(least, given));  // not-a-number passes
    __m512 quotient = _mm512_mul_ps(x, reciprocal);
    quotient = _mm512_fmadd_ps(_mm512_fnmadd_ps(quotient, y, x), reciprocal, quotient);
    return _mm512_fmadd_ps(_mm512_fnmadd_ps(quotient, y, x), reciprocal, quotient);
  }
};

}  // namespace

void quantize_f32_avx512vnni(const QuantizeF32Call& call, const float* real, std::uint8_t* quantized) {
  const bool tame = call.scale > 1e-15f && call.scale < 1e15f;
  const Divisor divisor(call.scale);
  const __m512 scale = _mm512_set1_ps(call.scale);
  const __m512 low = _mm512_set1_ps(static_cast<float>(call.low - call.zero_point));
  const __m512 high = _mm512_set1_ps(static_cast<float>(call.high - call.zero_point));
  const __m512i zero_point = _mm512_set1_epi32(call.zero_point);
  const __m128i flip = _mm_set1_epi8(static_cast<char>(call.flip));
  for (std::int64_t i = 0; i < call.count; i += 16) {
    const std::int64_t left = call.count - i;
    const auto mask = static_cast<__mmask16>(left >= 16 ? 0xffff : (1u << left) - 1);
    const __m512 x = _mm512_maskz_loadu_ps(mask, real + i);
    const __m512 scaled = tame ? divisor.divide(x) : _mm512_div_ps(x, scale);
    const __mmask16 numbers = _mm512_cmp_ps_mask(scaled, scaled, _CMP_ORD_Q);
    const __m512 clamped = _mm512_min_ps(_mm512_max_ps(_mm512_maskz_mov_ps(numbers, scaled), low), high);
    const __m512i bytes = _mm512_add_epi32(_mm512_cvtps_epi32(clamped), zero_point);
    _mm_mask_storeu_epi8(quantized + i, mask, _mm_xor_si128(_mm512_cvtepi32_epi8(bytes), flip));
  }
}

void dequantize_f32_avx512vnni(const QuantizeF32Call& call, const std::uint8_t* quantized, float* real) {
  const __m512 scale = _mm512_set1_ps(call.scale);
  const __m512i zero_point = _mm512_set1_epi32(call.zero_point);
  const __m128i flip = _mm_set1_epi8(static_cast<char>(call.flip));
  for (std::int64_t i = 0; i < call.count; i += 16) {
    const std::int64_t left = call.count - i;
    const auto mask = static_cast<__mmask16>(left >= 16 ? 0xffff : (1u << left) - 1);
    const __m512i bytes = _mm512_cvtepu8_epi32(_mm_xor_si128(_mm_maskz_loadu_epi8(mask, quantized + i), flip));
    const __m512 offset = _mm512_cvtepi32_ps(_mm512_sub_epi32(bytes, zero_point));
    _mm512_mask_storeu_ps(real + i, mask, _mm512_mul_ps(offset, scale));
  }
}

}  // namespace adze::kernels
