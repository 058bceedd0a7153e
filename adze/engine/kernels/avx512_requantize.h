#pragma once

// For files compiled for AVX-512 only. Everything in an unnamed namespace: no symbol may reach other files.
#include <immintrin.h>

#include <cstdint>

#include "adze/engine/kernels/output_stage.h"

namespace adze::kernels {
namespace {

/// Rounded doubling high product, then a rounded right shift: multiply_rounding_twice.
[[gnu::always_inline]] inline __m512i multiply_twice(__m512i acc, __m512i multiplier, __m512i shift) {
  const __m512i zero = _mm512_setzero_si512();
  const __m512i x = _mm512_sllv_epi32(acc, _mm512_max_epi32(shift, zero));
  const __m512i right = _mm512_max_epi32(_mm512_sub_epi32(zero, shift), zero);
  const __m512i nudge = _mm512_set1_epi64(std::int64_t{1} << 30);
  const __m512i even = _mm512_add_epi64(_mm512_mul_epi32(x, multiplier), nudge);
  const __m512i odd =
      _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(x, 32), _mm512_srli_epi64(multiplier, 32)), nudge);
  const __m512i high = _mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(even, 31), _mm512_slli_epi64(odd, 1));
  const __m512i one = _mm512_set1_epi32(1);
  const __m512i mask = _mm512_sub_epi32(_mm512_sllv_epi32(one, right), one);
  const __m512i threshold = _mm512_add_epi32(_mm512_srli_epi32(mask, 1), _mm512_srli_epi32(high, 31));
  const __mmask16 up = _mm512_cmpgt_epi32_mask(_mm512_and_si512(high, mask), threshold);
  const __m512i shifted = _mm512_srav_epi32(high, right);
  return _mm512_mask_add_epi32(shifted, up, shifted, one);
}

[[gnu::always_inline]] inline __m512i multiply_once_wide(__m512i product, __m512i total) {
  const __m512i one = _mm512_set1_epi64(1);
  const __m512i half = _mm512_sllv_epi64(one, _mm512_sub_epi64(total, one));
  const __m512i result = _mm512_srav_epi64(_mm512_add_epi64(product, half), total);
  return _mm512_max_epi64(_mm512_min_epi64(result, _mm512_set1_epi64(2147483647)), _mm512_set1_epi64(-2147483648LL));
}

/// One 64-bit product, rounded once: multiply_rounding_once.
[[gnu::always_inline]] inline __m512i multiply_once(__m512i acc, __m512i multiplier, __m512i shift) {
  const __m512i total = _mm512_sub_epi32(_mm512_set1_epi32(31), shift);
  const __m512i low_half = _mm512_set1_epi64(0xffffffffLL);
  const __m512i even = multiply_once_wide(_mm512_mul_epi32(acc, multiplier), _mm512_and_si512(total, low_half));
  const __m512i odd = multiply_once_wide(
      _mm512_mul_epi32(_mm512_srli_epi64(acc, 32), _mm512_srli_epi64(multiplier, 32)), _mm512_srli_epi64(total, 32));
  return _mm512_mask_blend_epi32(0xAAAA, even, _mm512_slli_epi64(odd, 32));
}

/// Sixteen accumulators of columns column … column + 15 to quantized numbers.
[[gnu::always_inline]] inline __m512i finish(const OutputStage& stage, __m512i acc, std::int64_t column) {
  const __m512i zero_point = _mm512_set1_epi32(stage.zero_point);
  __m512i result;
  if (stage.profile == OutputStage::Onnx) {
    const __m512 real = _mm512_mul_ps(_mm512_cvtepi32_ps(acc), _mm512_loadu_ps(stage.scale + column));
    // Clamping to integers before rounding gives what clamping after it does, and keeps the conversion in range.
    const __m512 low = _mm512_set1_ps(static_cast<float>(stage.low - stage.zero_point));
    const __m512 high = _mm512_set1_ps(static_cast<float>(stage.high - stage.zero_point));
    const __m512 clamped = _mm512_min_ps(_mm512_max_ps(real, low), high);
    return _mm512_add_epi32(_mm512_cvt_roundps_epi32(clamped, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC),
                            zero_point);
  }
  const __m512i multiplier = _mm512_loadu_si512(stage.multiplier + column);
  const __m512i shift = _mm512_loadu_si512(stage.shift + column);
  if (stage.profile == OutputStage::Tflm) {
    result = multiply_twice(acc, multiplier, shift);
  } else {
    result = multiply_once(acc, multiplier, shift);
  }
  // Bounds shifted by the zero point first: results are within 32 bits, their sum with it might not be.
  result = _mm512_max_epi32(result, _mm512_set1_epi32(stage.low - stage.zero_point));
  result = _mm512_min_epi32(result, _mm512_set1_epi32(stage.high - stage.zero_point));
  return _mm512_add_epi32(result, zero_point);
}

/// The same without bounds, before the zero point, rounded to 32 bits.
template <OutputStage::Profile profile>
[[gnu::always_inline]] inline __m512i requantize(const OutputStage& stage, __m512i acc, std::int64_t column) {
  if constexpr (profile == OutputStage::Onnx) {
    const __m512 real = _mm512_mul_ps(_mm512_cvtepi32_ps(acc), _mm512_loadu_ps(stage.scale + column));
    return _mm512_cvtps_epi32(real);
  } else {
    const __m512i multiplier = _mm512_loadu_si512(stage.multiplier + column);
    const __m512i shift = _mm512_loadu_si512(stage.shift + column);
    return profile == OutputStage::Tflm ? multiply_twice(acc, multiplier, shift)
                                        : multiply_once(acc, multiplier, shift);
  }
}

/// Can requantize() be used? Conversions of the onnx profile must stay within 32 bits.
[[gnu::always_inline]] inline bool can_pack(const OutputStage& stage) {
  return stage.profile != OutputStage::Onnx || stage.scales_below_one;
}

/// 64 numbers before the zero point to bytes, in order: what finish() gives, by saturation. plain: the zero point
/// is 0 and the bounds are [0, 255]. Numbers saturate to 16 bits before and after the zero point is added, which no
/// bound within 8 bits can tell.
template <bool plain = false>
[[gnu::always_inline]] inline __m512i pack_bytes(const OutputStage& stage, const __m512i* wide) {
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  __m512i first = _mm512_packs_epi32(wide[0], wide[1]), second = _mm512_packs_epi32(wide[2], wide[3]);
  if constexpr (plain) return _mm512_permutexvar_epi32(order, _mm512_packus_epi16(first, second));
  const __m512i zero_point = _mm512_set1_epi16(static_cast<short>(stage.zero_point));
  first = _mm512_adds_epi16(first, zero_point);
  second = _mm512_adds_epi16(second, zero_point);
  const __m512i low = _mm512_set1_epi8(static_cast<char>(stage.low)),
                high = _mm512_set1_epi8(static_cast<char>(stage.high));
  __m512i bytes;
  if (stage.low < 0) {
    bytes = _mm512_min_epi8(_mm512_max_epi8(_mm512_packs_epi16(first, second), low), high);
  } else {
    bytes = _mm512_min_epu8(_mm512_max_epu8(_mm512_packus_epi16(first, second), low), high);
  }
  return _mm512_permutexvar_epi32(order, bytes);
}

/// The same where the bounds are those of a byte and the zero point is in their middle: 0 of s8, 128 of u8.
[[gnu::always_inline]] inline __m512i pack_around_zero(const OutputStage& stage, const __m512i* wide) {
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const __m512i first = _mm512_packs_epi32(wide[0], wide[1]), second = _mm512_packs_epi32(wide[2], wide[3]);
  const __m512i middle = _mm512_set1_epi8(static_cast<char>(stage.zero_point));
  return _mm512_permutexvar_epi32(order, _mm512_xor_si512(_mm512_packs_epi16(first, second), middle));
}

}  // namespace
}  // namespace adze::kernels
