#pragma once

// For files compiled for AVX2 only. Everything in an unnamed namespace: no symbol may reach other files.
#include <immintrin.h>

#include <cstdint>

#include "adze/engine/kernels/output_stage.h"

namespace adze::kernels {
namespace {

/// Rounded doubling high product, then a rounded right shift: multiply_rounding_twice.
inline __m256i multiply_twice(__m256i acc, __m256i multiplier, __m256i shift) {
  const __m256i zero = _mm256_setzero_si256();
  const __m256i x = _mm256_sllv_epi32(acc, _mm256_max_epi32(shift, zero));
  const __m256i right = _mm256_max_epi32(_mm256_sub_epi32(zero, shift), zero);
  const __m256i nudge = _mm256_set1_epi64x(std::int64_t{1} << 30);
  const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(x, multiplier), nudge);
  const __m256i odd =
      _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(x, 32), _mm256_srli_epi64(multiplier, 32)), nudge);
  const __m256i high = _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1), 0xAA);
  const __m256i one = _mm256_set1_epi32(1);
  const __m256i mask = _mm256_sub_epi32(_mm256_sllv_epi32(one, right), one);
  const __m256i threshold = _mm256_add_epi32(_mm256_srli_epi32(mask, 1), _mm256_srli_epi32(high, 31));
  const __m256i up = _mm256_cmpgt_epi32(_mm256_and_si256(high, mask), threshold);
  return _mm256_sub_epi32(_mm256_srav_epi32(high, right), up);
}

inline __m256i multiply_once_wide(__m256i product, __m256i total) {
  const __m256i one = _mm256_set1_epi64x(1);
  const __m256i half = _mm256_sllv_epi64(one, _mm256_sub_epi64(total, one));
  // AVX2 has no 64-bit arithmetic shift: shift the number plus 2^63 logically, and take the shifted 2^63 away.
  const __m256i top = _mm256_set1_epi64x(INT64_MIN);
  const __m256i moved = _mm256_xor_si256(_mm256_add_epi64(product, half), top);
  const __m256i result = _mm256_sub_epi64(_mm256_srlv_epi64(moved, total), _mm256_srlv_epi64(top, total));
  const __m256i most = _mm256_set1_epi64x(2147483647), least = _mm256_set1_epi64x(-2147483648LL);
  const __m256i below = _mm256_blendv_epi8(result, most, _mm256_cmpgt_epi64(result, most));
  return _mm256_blendv_epi8(below, least, _mm256_cmpgt_epi64(least, below));
}

/// One 64-bit product, rounded once: multiply_rounding_once.
inline __m256i multiply_once(__m256i acc, __m256i multiplier, __m256i shift) {
  const __m256i total = _mm256_sub_epi32(_mm256_set1_epi32(31), shift);
  const __m256i low_half = _mm256_set1_epi64x(0xffffffffLL);
  const __m256i even = multiply_once_wide(_mm256_mul_epi32(acc, multiplier), _mm256_and_si256(total, low_half));
  const __m256i odd = multiply_once_wide(
      _mm256_mul_epi32(_mm256_srli_epi64(acc, 32), _mm256_srli_epi64(multiplier, 32)), _mm256_srli_epi64(total, 32));
  return _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA);
}

/// Eight accumulators of columns column … column + 7 to quantized numbers.
inline __m256i finish(const OutputStage& stage, __m256i acc, std::int64_t column) {
  const __m256i zero_point = _mm256_set1_epi32(stage.zero_point);
  if (stage.profile == OutputStage::Onnx) {
    const __m256 real = _mm256_mul_ps(_mm256_cvtepi32_ps(acc), _mm256_loadu_ps(stage.scale + column));
    // Clamping to integers before rounding gives what clamping after it does, and keeps the conversion in range.
    const __m256 low = _mm256_set1_ps(static_cast<float>(stage.low - stage.zero_point));
    const __m256 high = _mm256_set1_ps(static_cast<float>(stage.high - stage.zero_point));
    const __m256 clamped = _mm256_min_ps(_mm256_max_ps(real, low), high);
    const __m256 rounded = _mm256_round_ps(clamped, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    return _mm256_add_epi32(_mm256_cvttps_epi32(rounded), zero_point);
  }
  const __m256i multiplier = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(stage.multiplier + column));
  const __m256i shift = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(stage.shift + column));
  __m256i result = stage.profile == OutputStage::Tflm ? multiply_twice(acc, multiplier, shift)
                                                      : multiply_once(acc, multiplier, shift);
  // Bounds shifted by the zero point first: results are within 32 bits, their sum with it might not be.
  result = _mm256_max_epi32(result, _mm256_set1_epi32(stage.low - stage.zero_point));
  result = _mm256_min_epi32(result, _mm256_set1_epi32(stage.high - stage.zero_point));
  return _mm256_add_epi32(result, zero_point);
}

/// Eight accumulators to numbers before the zero point and bounds, rounded to 32 bits. Conversions of the onnx profile
/// must stay within them: stage.scales_below_one.
[[gnu::always_inline]] inline __m256i requantize(const OutputStage& stage, __m256i acc, std::int64_t column) {
  if (stage.profile == OutputStage::Onnx) {
    return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(acc), _mm256_loadu_ps(stage.scale + column)));
  }
  const __m256i multiplier = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(stage.multiplier + column));
  const __m256i shift = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(stage.shift + column));
  return stage.profile == OutputStage::Tflm ? multiply_twice(acc, multiplier, shift)
                                            : multiply_once(acc, multiplier, shift);
}

/// Sixteen accumulators to bytes in order: what finish() gives. They saturate to 16 bits before and after the zero
/// point is added, which no bound within 8 bits can tell.
[[gnu::always_inline]] inline __m128i finish_sixteen(const OutputStage& stage, __m256i left, __m256i right,
                                                     std::int64_t column) {
  __m256i words;
  if (stage.profile == OutputStage::Onnx && !stage.scales_below_one) {
    words = _mm256_packs_epi32(finish(stage, left, column), finish(stage, right, column + 8));
  } else {
    words = _mm256_packs_epi32(requantize(stage, left, column), requantize(stage, right, column + 8));
    words = _mm256_adds_epi16(words, _mm256_set1_epi16(static_cast<short>(stage.zero_point)));
  }
  words = _mm256_permute4x64_epi64(words, 0xd8);
  const __m128i first = _mm256_castsi256_si128(words), second = _mm256_extracti128_si256(words, 1);
  const __m128i low = _mm_set1_epi8(static_cast<char>(stage.low)), high = _mm_set1_epi8(static_cast<char>(stage.high));
  if (stage.low < 0) return _mm_min_epi8(_mm_max_epi8(_mm_packs_epi16(first, second), low), high);
  return _mm_min_epu8(_mm_max_epu8(_mm_packus_epi16(first, second), low), high);
}

/// The low bytes of eight 32-bit numbers.
inline std::uint64_t low_bytes(__m256i values) {
  const __m256i pick = _mm256_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,  //
                                        0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
  const __m256i bytes = _mm256_shuffle_epi8(values, pick);
  const auto low = static_cast<std::uint32_t>(_mm256_extract_epi32(bytes, 0));
  const auto high = static_cast<std::uint32_t>(_mm256_extract_epi32(bytes, 4));
  return low | (static_cast<std::uint64_t>(high) << 32);
}

inline void store_bytes(std::uint8_t* y, __m256i values, std::int64_t count) {
  std::uint64_t bytes = low_bytes(values);
  if (count >= 8) {
    __builtin_memcpy(y, &bytes, 8);
    return;
  }
  for (std::int64_t i = 0; i < count; ++i, bytes >>= 8) y[i] = static_cast<std::uint8_t>(bytes);
}

}  // namespace
}  // namespace adze::kernels
