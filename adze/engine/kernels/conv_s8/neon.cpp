#include "adze/engine/kernels/conv_s8/tile_neon.h"

namespace adze::kernels {
namespace {

/// Products of 16 bits, two of which are added before they go to sums of 32 bits: only twice -128 by -128 would not
/// fit. Sums of the first and the second half of each quad lie side by side: 4 rows by 8 columns are 16 registers.
struct PairTile {
  static Starts starts(const GemmS8Call& call, std::int64_t column) {
    const std::int8_t* weights = call.weights + column * call.quads * 4;
    int32x4_t sums[4] = {};
    int8x16_t least = vdupq_n_s8(0);
    for (std::int64_t q = 0; q < call.quads; ++q, weights += 64) {
      for (int i = 0; i < 4; ++i) {
        const int8x16_t w = vld1q_s8(weights + 16 * i);
        sums[i] = vpadalq_s16(sums[i], vpaddlq_s8(w));
        least = vminq_s8(least, w);
      }
    }
    Starts starts = starts_of(call, column, sums);
    starts.narrow = vminvq_s8(least) > -128;
    return starts;
  }

  [[gnu::always_inline]] static void add(int32x4_t acc[2], int8x16_t x, int8x16_t w) {
    acc[0] = vpadalq_s16(acc[0], vmull_s8(vget_low_s8(x), vget_low_s8(w)));
    acc[1] = vpadalq_s16(acc[1], vmull_high_s8(x, w));
  }

  [[gnu::always_inline]] static void add_two(int32x4_t acc[2], int8x16_t x, int8x16_t w, int8x16_t next_x,
                                             int8x16_t next_w) {
    const int16x8_t low = vmull_s8(vget_low_s8(x), vget_low_s8(w)), high = vmull_high_s8(x, w);
    acc[0] = vpadalq_s16(acc[0], vmlal_s8(low, vget_low_s8(next_x), vget_low_s8(next_w)));
    acc[1] = vpadalq_s16(acc[1], vmlal_high_s8(high, next_x, next_w));
  }

  /// sums[r][0 … 1]: those of columns 8 half … 8 half + 7 of the block.
  template <int rows, bool narrow>
  [[gnu::always_inline]] static void run_half(const GemmS8Call& call, std::int64_t row, std::int64_t column, int half,
                                              int32x4_t sums[][2]) {
    const std::uint8_t* x[rows];
    int32x4_t acc[rows][4] = {};
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) x[r] = call.rows[row + r];
    const std::int8_t* weights = call.weights + column * call.quads * 4 + 32 * half;
    const std::int32_t *offset = call.offsets, *end = offset + call.quads;
    for (; narrow && end - offset >= 2; offset += 2, weights += 128) {
      const int8x16_t left = vld1q_s8(weights), right = vld1q_s8(weights + 16);
      const int8x16_t next_left = vld1q_s8(weights + 64), next_right = vld1q_s8(weights + 80);
#pragma GCC unroll 4
      for (int r = 0; r < rows; ++r) {
        const int8x16_t quad = broadcast_quad(x[r] + offset[0]), next = broadcast_quad(x[r] + offset[1]);
        add_two(acc[r], quad, left, next, next_left);
        add_two(acc[r] + 2, quad, right, next, next_right);
      }
    }
    for (; offset != end; ++offset, weights += 64) {
      const int8x16_t left = vld1q_s8(weights), right = vld1q_s8(weights + 16);
#pragma GCC unroll 4
      for (int r = 0; r < rows; ++r) {
        const int8x16_t quad = broadcast_quad(x[r] + *offset);
        add(acc[r], quad, left);
        add(acc[r] + 2, quad, right);
      }
    }
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) {
      sums[r][0] = vpaddq_s32(acc[r][0], acc[r][1]);
      sums[r][1] = vpaddq_s32(acc[r][2], acc[r][3]);
    }
  }

  template <Profile profile, int rows>
  [[gnu::always_inline]] static void run(const GemmS8Call& call, const Starts& starts, std::int64_t row,
                                         std::int64_t column) {
    int32x4_t left[rows][2], right[rows][2];
    if (starts.narrow) {
      run_half<rows, true>(call, row, column, 0, left);
      run_half<rows, true>(call, row, column, 1, right);
    } else {
      run_half<rows, false>(call, row, column, 0, left);
      run_half<rows, false>(call, row, column, 1, right);
    }
    for (int r = 0; r < rows; ++r) {
      int32x4_t acc[4] = {add_wrapping(left[r][0], starts.of[0]), add_wrapping(left[r][1], starts.of[1]),
                          add_wrapping(right[r][0], starts.of[2]), add_wrapping(right[r][1], starts.of[3])};
      store_row<profile>(call, row + r, column, acc);
    }
  }
};

}  // namespace

void gemm_s8_neon(const GemmS8Call& call) {
  multiply_by_tiles<PairTile>(call);
}

}  // namespace adze::kernels
