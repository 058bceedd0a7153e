#include <arm_neon.h>

#include <algorithm>

#include "adze/engine/kernels/pool_s8/pool_s8_call.h"

namespace adze::kernels {
namespace {

/// Calls body(tap) for every tap of the window, from the channel on.
template <typename Body>
[[gnu::always_inline]] inline void each_tap(const PoolS8Call& call, std::int64_t channel, Body body) {
  for (std::int64_t row = 0; row < call.rows; ++row) {
    const std::uint8_t* x = call.x + row * call.row_step + channel;
    for (std::int64_t column = 0; column < call.columns; ++column, x += call.column_step) body(x);
  }
}

/// The bits that make the order of bytes that of unsigned ones.
inline std::uint8_t flip_of(const PoolS8Call& call) {
  return call.is_signed ? 0x80 : 0;
}

template <int vectors>
[[gnu::always_inline]] inline void max_of(const PoolS8Call& call, std::int64_t channel, std::uint8_t* y) {
  const uint8x16_t flip = vdupq_n_u8(flip_of(call));
  uint8x16_t best[vectors] = {};
  each_tap(call, channel, [&](const std::uint8_t* x) {
#pragma GCC unroll 4
    for (int i = 0; i < vectors; ++i) best[i] = vmaxq_u8(best[i], veorq_u8(vld1q_u8(x + 16 * i), flip));
  });
  for (int i = 0; i < vectors; ++i) vst1q_u8(y + channel + 16 * i, veorq_u8(best[i], flip));
}

/// Sums of up to 256 unsigned bytes fit 16 bits; counted from -128 where signed, which is taken off at the end.
[[gnu::always_inline]] inline void sum_of(const PoolS8Call& call, std::int64_t channel, std::int32_t* sums) {
  constexpr std::int64_t most_taps = 256;
  const uint8x16_t flip = vdupq_n_u8(flip_of(call));
  const auto off = static_cast<std::uint32_t>(call.is_signed ? 128 * call.rows * call.columns : 0);
  const uint32x4_t start = vdupq_n_u32(0u - off);
  uint32x4_t total[4] = {start, start, start, start};
  for (std::int64_t row = 0; row < call.rows; ++row) {
    const std::uint8_t* x = call.x + row * call.row_step + channel;
    for (std::int64_t first = 0; first < call.columns; first += most_taps) {
      uint16x8_t low = vdupq_n_u16(0), high = low;
      const std::int64_t count = std::min(most_taps, call.columns - first);
      for (std::int64_t i = 0; i < count; ++i, x += call.column_step) {
        const uint8x16_t tap = veorq_u8(vld1q_u8(x), flip);
        low = vaddw_u8(low, vget_low_u8(tap));
        high = vaddw_high_u8(high, tap);
      }
      total[0] = vaddw_u16(total[0], vget_low_u16(low));
      total[1] = vaddw_high_u16(total[1], low);
      total[2] = vaddw_u16(total[2], vget_low_u16(high));
      total[3] = vaddw_high_u16(total[3], high);
    }
  }
  for (int i = 0; i < 4; ++i) vst1q_s32(sums + channel + 4 * i, vreinterpretq_s32_u32(total[i]));
}

std::uint8_t max_of_one(const PoolS8Call& call, std::int64_t channel) {
  const std::uint8_t flip = flip_of(call);
  std::uint8_t best = 0;
  each_tap(call, channel, [&](const std::uint8_t* x) { best = std::max(best, static_cast<std::uint8_t>(*x ^ flip)); });
  return best ^ flip;
}

std::int32_t sum_of_one(const PoolS8Call& call, std::int64_t channel) {
  std::int32_t sum = 0;
  each_tap(call, channel,
           [&](const std::uint8_t* x) { sum += call.is_signed ? static_cast<std::int8_t>(*x) : std::int32_t{*x}; });
  return sum;
}

}  // namespace

void pool_s8_neon_max(const PoolS8Call& call, std::uint8_t* y) {
  std::int64_t c = 0;
  for (; c + 64 <= call.channels; c += 64) max_of<4>(call, c, y);
  for (; c + 16 <= call.channels; c += 16) max_of<1>(call, c, y);
  if (c < call.channels && call.channels >= 16) return max_of<1>(call, call.channels - 16, y);
  for (; c < call.channels; ++c) y[c] = max_of_one(call, c);
}

void pool_s8_neon_sum(const PoolS8Call& call, std::int32_t* sums) {
  std::int64_t c = 0;
  for (; c + 16 <= call.channels; c += 16) sum_of(call, c, sums);
  if (c < call.channels && call.channels >= 16) return sum_of(call, call.channels - 16, sums);
  for (; c < call.channels; ++c) sums[c] = sum_of_one(call, c);
}

}  // namespace adze::kernels
