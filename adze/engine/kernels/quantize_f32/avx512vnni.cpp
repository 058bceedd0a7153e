#include <immintrin.h>

#include "adze/engine/kernels/quantize_f32/quantize_f32_call.h"

namespace adze::kernels {
namespace {

/// Numbers from first on, by the defined division.
[[gnu::noinline]] void divide(const QuantizeF32Call& call, const float* real, std::uint8_t* quantized,
                              std::int64_t first, std::int64_t end) {
  const __m512 scale = _mm512_set1_ps(call.scale);
  const __m512 low = _mm512_set1_ps(static_cast<float>(call.low - call.zero_point));
  const __m512 high = _mm512_set1_ps(static_cast<float>(call.high - call.zero_point));
  const __m512i zero_point = _mm512_set1_epi32(call.zero_point);
  const __m128i flip = _mm_set1_epi8(static_cast<char>(call.flip));
  for (std::int64_t i = first; i < end; i += 16) {
    const std::int64_t left = end - i;
    const auto mask = static_cast<__mmask16>(left >= 16 ? 0xffff : (1u << left) - 1);
    const __m512 scaled = _mm512_div_ps(_mm512_maskz_loadu_ps(mask, real + i), scale);
    const __mmask16 numbers = _mm512_cmp_ps_mask(scaled, scaled, _CMP_ORD_Q);
    const __m512 clamped = _mm512_min_ps(_mm512_max_ps(_mm512_maskz_mov_ps(numbers, scaled), low), high);
    const __m512i bytes = _mm512_add_epi32(_mm512_cvtps_epi32(clamped), zero_point);
    _mm_mask_storeu_epi8(quantized + i, mask, _mm_xor_si128(_mm512_cvtepi32_epi8(bytes), flip));
  }
}

/// The fraction bits of a quotient by the reciprocal, and how many of them tell that it is far from a tie: with |q| up
/// to 2^8, its error, that of its 14 bits and that of the division itself are below 5 · 2^-16, half of 2^-12 is 8 ·
/// 2^-16.
constexpr int fraction_bits = 14, tie_bits = 12;
constexpr std::int64_t block = 64;

/// 16 quotients and a half, with 14 fraction bits; NaN and what is near a tie has none of the tie bits set.
struct Quotients {
  __m512 reciprocal, offset, low, high;

  explicit Quotients(float scale)
      : reciprocal(_mm512_set1_ps(1.0f / scale * (1 << fraction_bits))),
        offset(_mm512_set1_ps((1 << (fraction_bits - 1)) + (1 << (fraction_bits - tie_bits - 1)))),
        low(_mm512_set1_ps(-300.0f * scale)),
        high(_mm512_set1_ps(300.0f * scale)) {}

  [[gnu::always_inline]] __m512i operator()(const float* real) const {
    // The second operand is the result where one is no number.
    const __m512 x = _mm512_min_ps(high, _mm512_max_ps(low, _mm512_loadu_ps(real)));
    return _mm512_cvtps_epi32(_mm512_fmadd_ps(x, reciprocal, offset));
  }
};

/// The blocks of 64 numbers by the reciprocal; returns how many numbers that are.
std::int64_t quantize_blocks(const QuantizeF32Call& call, const float* real, std::uint8_t* quantized) {
  const Quotients quotients(call.scale);
  const __m512i ties = _mm512_set1_epi32(((1 << tie_bits) - 1) << (fraction_bits - tie_bits));
  const __m512i zero_point = _mm512_set1_epi16(static_cast<short>(call.zero_point));
  const __m512i low = _mm512_set1_epi8(static_cast<char>(call.low)),
                high = _mm512_set1_epi8(static_cast<char>(call.high));
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(call.flip));
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  std::int64_t i = 0;
  for (; i + block <= call.count; i += block) {
    __m512i wide[4];
    unsigned near = 0;
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) {
      const __m512i quotient = quotients(real + i + 16 * v);
      near |= _mm512_testn_epi32_mask(quotient, ties);
      wide[v] = _mm512_srai_epi32(quotient, fraction_bits);
    }
    if (near != 0) [[unlikely]] {
      divide(call, real, quantized, i, i + block);
      continue;
    }
    const __m512i first = _mm512_adds_epi16(_mm512_packs_epi32(wide[0], wide[1]), zero_point);
    const __m512i second = _mm512_adds_epi16(_mm512_packs_epi32(wide[2], wide[3]), zero_point);
    const __m512i bytes = _mm512_min_epu8(_mm512_max_epu8(_mm512_packus_epi16(first, second), low), high);
    _mm512_storeu_si512(quantized + i, _mm512_xor_si512(_mm512_permutexvar_epi32(order, bytes), flip));
  }
  return i;
}

}  // namespace

void quantize_f32_avx512vnni(const QuantizeF32Call& call, const float* real, std::uint8_t* quantized) {
  const bool tame = call.scale > 1e-30f && call.scale < 1e30f;
  const std::int64_t done = tame ? quantize_blocks(call, real, quantized) : 0;
  divide(call, real, quantized, done, call.count);
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

/// The second operand of a minimum is the result where one is no number.
RangeF32 range_f32_avx512vnni(const float* x, std::int64_t count) {
  constexpr int together = 4;
  const __m512 zero = _mm512_setzero_ps();
  __m512 low[together] = {zero, zero, zero, zero}, high[together] = {zero, zero, zero, zero};
  std::int64_t i = 0;
  for (; i + 16 * together <= count; i += 16 * together) {
#pragma GCC unroll 4
    for (int v = 0; v < together; ++v) {
      const __m512 values = _mm512_loadu_ps(x + i + 16 * v);
      low[v] = _mm512_min_ps(values, low[v]);
      high[v] = _mm512_max_ps(values, high[v]);
    }
  }
  for (; i < count; i += 16) {
    const std::int64_t left = count - i;
    const auto mask = static_cast<__mmask16>(left >= 16 ? 0xffff : (1u << left) - 1);
    const __m512 values = _mm512_maskz_loadu_ps(mask, x + i);
    low[0] = _mm512_min_ps(values, low[0]);
    high[0] = _mm512_max_ps(values, high[0]);
  }
  const __m512 least = _mm512_min_ps(_mm512_min_ps(low[0], low[1]), _mm512_min_ps(low[2], low[3]));
  const __m512 most = _mm512_max_ps(_mm512_max_ps(high[0], high[1]), _mm512_max_ps(high[2], high[3]));
  return {_mm512_reduce_min_ps(least), _mm512_reduce_max_ps(most)};
}

}  // namespace adze::kernels
