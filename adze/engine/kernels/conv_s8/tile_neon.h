#pragma once

// For files compiled for Arm's Advanced SIMD only. Everything in an unnamed namespace: no symbol may reach other files.
#include "adze/engine/kernels/conv_s8/conv_s8_call.h"
#include "adze/engine/kernels/neon_requantize.h"

namespace adze::kernels {
namespace {

/// Products are of signed bytes, and rows are unsigned: their bytes count from 128, and what that takes away, 128 times
/// the sum of a column's weights, is added to the bias. Starts: what the sums of 16 columns begin with.
struct Starts {
  int32x4_t of[4];
  bool narrow = false;  ///< no weight is -128: two products fit 16 bits
};

[[gnu::always_inline]] inline Starts starts_of(const GemmS8Call& call, std::int64_t column,
                                               const int32x4_t weight_sums[4]) {
  Starts starts;
  for (int i = 0; i < 4; ++i) {
    starts.of[i] = add_wrapping(vld1q_s32(call.stage->bias + column + 4 * i), vshlq_n_s32(weight_sums[i], 7));
  }
  return starts;
}

/// The four bytes at x as signed ones, four times.
[[gnu::always_inline]] inline int8x16_t broadcast_quad(const std::uint8_t* x) {
  std::uint32_t quad;
  __builtin_memcpy(&quad, x, 4);
  return vreinterpretq_s8_u32(vdupq_n_u32(quad ^ 0x80808080u));
}

/// The results of one row: bytes, or the sums.
template <Profile profile>
[[gnu::always_inline]] inline void store_row(const GemmS8Call& call, std::int64_t row, std::int64_t column,
                                             int32x4_t acc[4]) {
  const std::int64_t count = call.columns - column;
  if (call.row_terms != nullptr) {
    for (int i = 0; i < 4; ++i) acc[i] = add_wrapping(acc[i], vdupq_n_s32(call.row_terms[row]));
  }
  if (call.sums == nullptr) {
    store_first(call.y + row * call.y_stride + column, finish_sixteen<profile>(*call.stage, acc, column), count);
    return;
  }
  std::int32_t all[16];
  for (int i = 0; i < 4; ++i) vst1q_s32(all + 4 * i, acc[i]);
  __builtin_memcpy(call.sums + row * call.y_stride + column, all,
                   static_cast<std::size_t>(count < 16 ? count : 16) * 4);
}

/// Rows of one block of 16 columns by Tile: starts(call, column); run<profile, rows>(call, starts, row, column).
template <typename Tile>
[[gnu::always_inline]] inline void multiply_by_tiles(const GemmS8Call& call) {
  with_profile(*call.stage, [&]<Profile profile>() {
    for (std::int64_t column = 0; column < call.columns; column += 16) {
      const Starts starts = Tile::starts(call, column);
      std::int64_t row = 0;
      for (; row + 4 <= call.row_count; row += 4) Tile::template run<profile, 4>(call, starts, row, column);
      for (; row + 2 <= call.row_count; row += 2) Tile::template run<profile, 2>(call, starts, row, column);
      if (row < call.row_count) Tile::template run<profile, 1>(call, starts, row, column);
    }
  });
}

}  // namespace
}  // namespace adze::kernels
