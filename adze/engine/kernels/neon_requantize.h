#pragma once

// For files compiled for Arm's Advanced SIMD only. Everything in an unnamed namespace: no symbol may reach other files.
#include <arm_neon.h>

#include <cstdint>

#include "adze/engine/kernels/output_stage.h"

namespace adze::kernels {
namespace {

using Profile = OutputStage::Profile;

/// a + b modulo 2^32: the intrinsic for signed numbers is defined by the operator of the language.
[[gnu::always_inline]] inline int32x4_t add_wrapping(int32x4_t a, int32x4_t b) {
  return vreinterpretq_s32_u32(vaddq_u32(vreinterpretq_u32_s32(a), vreinterpretq_u32_s32(b)));
}

/// Rounded doubling high product, then a rounded right shift, ties away from zero: multiply_rounding_twice.
[[gnu::always_inline]] inline int32x4_t multiply_twice(int32x4_t acc, int32x4_t multiplier, int32x4_t shift) {
  const int32x4_t zero = vdupq_n_s32(0);
  const int32x4_t left = vmaxq_s32(shift, zero), right = vminq_s32(shift, zero);
  const int32x4_t high = vqrdmulhq_s32(vshlq_s32(acc, left), multiplier);
  // Rounding shifts take ties up: negative numbers that are shifted at all go down by one before.
  return vrshlq_s32(vqaddq_s32(high, vshrq_n_s32(vandq_s32(high, right), 31)), right);
}

/// One 64-bit product, rounded once, ties up, saturated: multiply_rounding_once.
[[gnu::always_inline]] inline int32x4_t multiply_once(int32x4_t acc, int32x4_t multiplier, int32x4_t shift) {
  const int32x4_t right = vsubq_s32(shift, vdupq_n_s32(31));  // negative: to the right
  const int64x2_t low = vmull_s32(vget_low_s32(acc), vget_low_s32(multiplier));
  const int64x2_t high = vmull_high_s32(acc, multiplier);
  const int32x2_t rounded = vqmovn_s64(vrshlq_s64(low, vmovl_s32(vget_low_s32(right))));
  return vqmovn_high_s64(rounded, vrshlq_s64(high, vmovl_high_s32(right)));
}

/// Four accumulators of columns column … column + 3 to numbers before the zero point and bounds, saturated to 32 bits.
template <Profile profile>
[[gnu::always_inline]] inline int32x4_t requantize(const OutputStage& stage, int32x4_t acc, std::int64_t column) {
  if constexpr (profile == OutputStage::Onnx) {
    return vcvtnq_s32_f32(vmulq_f32(vcvtq_f32_s32(acc), vld1q_f32(stage.scale + column)));
  } else {
    const int32x4_t multiplier = vld1q_s32(stage.multiplier + column), shift = vld1q_s32(stage.shift + column);
    return profile == OutputStage::Tflm ? multiply_twice(acc, multiplier, shift)
                                        : multiply_once(acc, multiplier, shift);
  }
}

/// Sixteen numbers before the zero point to bytes: clamp(number + zero_point, low, high). They saturate to 16 bits
/// before and after the zero point is added, which no bound within 8 bits can tell.
[[gnu::always_inline]] inline uint8x16_t pack_bytes(const OutputStage& stage, int32x4_t a, int32x4_t b, int32x4_t c,
                                                    int32x4_t d) {
  const int16x8_t zero_point = vdupq_n_s16(static_cast<std::int16_t>(stage.zero_point));
  const int16x8_t first = vqaddq_s16(vqmovn_high_s32(vqmovn_s32(a), b), zero_point);
  const int16x8_t second = vqaddq_s16(vqmovn_high_s32(vqmovn_s32(c), d), zero_point);
  if (stage.low < 0) {
    const int8x16_t bytes = vqmovn_high_s16(vqmovn_s16(first), second);
    const int8x16_t low = vdupq_n_s8(static_cast<std::int8_t>(stage.low));
    return vreinterpretq_u8_s8(vminq_s8(vmaxq_s8(bytes, low), vdupq_n_s8(static_cast<std::int8_t>(stage.high))));
  }
  const uint8x16_t bytes = vqmovun_high_s16(vqmovun_s16(first), second);
  const uint8x16_t low = vdupq_n_u8(static_cast<std::uint8_t>(stage.low));
  return vminq_u8(vmaxq_u8(bytes, low), vdupq_n_u8(static_cast<std::uint8_t>(stage.high)));
}

/// Sixteen accumulators of columns column … column + 15 to bytes.
template <Profile profile>
[[gnu::always_inline]] inline uint8x16_t finish_sixteen(const OutputStage& stage, const int32x4_t acc[4],
                                                        std::int64_t column) {
  return pack_bytes(stage, requantize<profile>(stage, acc[0], column), requantize<profile>(stage, acc[1], column + 4),
                    requantize<profile>(stage, acc[2], column + 8), requantize<profile>(stage, acc[3], column + 12));
}

/// The first count bytes, at most 16, in pieces of halving size.
[[gnu::always_inline]] inline void store_first(std::uint8_t* y, uint8x16_t bytes, std::int64_t count) {
  if (count >= 16) {
    vst1q_u8(y, bytes);
    return;
  }
  if ((count & 8) != 0) {
    vst1_u8(y, vget_low_u8(bytes));
    bytes = vextq_u8(bytes, bytes, 8);
    y += 8;
  }
  if ((count & 4) != 0) {
    const std::uint32_t four = vgetq_lane_u32(vreinterpretq_u32_u8(bytes), 0);
    __builtin_memcpy(y, &four, sizeof four);
    bytes = vextq_u8(bytes, bytes, 4);
    y += 4;
  }
  if ((count & 2) != 0) {
    const std::uint16_t two = vgetq_lane_u16(vreinterpretq_u16_u8(bytes), 0);
    __builtin_memcpy(y, &two, sizeof two);
    bytes = vextq_u8(bytes, bytes, 2);
    y += 2;
  }
  if ((count & 1) != 0) *y = vgetq_lane_u8(bytes, 0);
}

/// The first count bytes and zeros, at most 16.
[[gnu::always_inline]] inline uint8x16_t load_first(const std::uint8_t* x, std::int64_t count) {
  if (count >= 16) return vld1q_u8(x);
  std::uint8_t all[16] = {};
  for (std::int64_t i = 0; i < count; ++i) all[i] = x[i];
  return vld1q_u8(all);
}

/// Calls run.operator()<profile>() for the stage's profile.
template <typename Run>
[[gnu::always_inline]] inline void with_profile(const OutputStage& stage, Run run) {
  if (stage.profile == OutputStage::Tflm) return run.template operator()<OutputStage::Tflm>();
  if (stage.profile == OutputStage::Litert) return run.template operator()<OutputStage::Litert>();
  run.template operator()<OutputStage::Onnx>();
}

}  // namespace
}  // namespace adze::kernels
