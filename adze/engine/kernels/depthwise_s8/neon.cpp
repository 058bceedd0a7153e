#include "adze/engine/kernels/depthwise_s8/depthwise_s8_call.h"
#include "adze/engine/kernels/neon_requantize.h"

namespace adze::kernels {
namespace {

/// Sums of 16 channels.
struct Sums {
  int32x4_t of[4];

  /// Bytes, wide enough to be signed, by 16 weights.
  [[gnu::always_inline]] void add(uint8x16_t x, int16x8_t left, int16x8_t right) {
    const int16x8_t first = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(x)));
    const int16x8_t second = vreinterpretq_s16_u16(vmovl_high_u8(x));
    of[0] = vmlal_s16(of[0], vget_low_s16(first), vget_low_s16(left));
    of[1] = vmlal_high_s16(of[1], first, left);
    of[2] = vmlal_s16(of[2], vget_low_s16(second), vget_low_s16(right));
    of[3] = vmlal_high_s16(of[3], second, right);
  }
};

[[gnu::always_inline]] inline Sums load_sums(const std::int32_t* from) {
  return {{vld1q_s32(from), vld1q_s32(from + 4), vld1q_s32(from + 8), vld1q_s32(from + 12)}};
}

/// A block of 16 channels of neighbouring pixels: 4 of them and the weights of a pair of taps fit the registers.
template <Profile profile, int pixels>
[[gnu::always_inline]] inline void tile(const DepthwiseS8Call& call, std::int64_t channel, std::int64_t pixel) {
  const std::int16_t* weights = call.weights + channel * call.tap_pairs * 2;
  const std::uint8_t* x = call.x + pixel * call.x_step + channel;
  Sums sums[pixels];
#pragma GCC unroll 4
  for (int p = 0; p < pixels; ++p) sums[p] = load_sums(call.stage->bias + channel);
  for (std::int64_t t = 0; t < call.tap_pairs; ++t, weights += 32) {
    const int16x8x2_t left = vld2q_s16(weights), right = vld2q_s16(weights + 16);  // of the first and the second tap
    const std::uint8_t *first = x + call.offsets[2 * t], *second = x + call.offsets[2 * t + 1];
#pragma GCC unroll 4
    for (int p = 0; p < pixels; ++p) {
      sums[p].add(vld1q_u8(first + p * call.x_step), left.val[0], right.val[0]);
      sums[p].add(vld1q_u8(second + p * call.x_step), left.val[1], right.val[1]);
    }
  }
#pragma GCC unroll 4
  for (int p = 0; p < pixels; ++p) {
    store_first(call.y + (pixel + p) * call.channels + channel,
                finish_sixteen<profile>(*call.stage, sums[p].of, channel), call.channels - channel);
  }
}

}  // namespace

void depthwise_s8_neon(const DepthwiseS8Call& call) {
  with_profile(*call.stage, [&]<Profile profile>() {
    for (std::int64_t channel = 0; channel < call.channels; channel += 16) {
      std::int64_t pixel = 0;
      for (; pixel + 4 <= call.pixels; pixel += 4) tile<profile, 4>(call, channel, pixel);
      for (; pixel < call.pixels; ++pixel) tile<profile, 1>(call, channel, pixel);
    }
  });
}

}  // namespace adze::kernels
