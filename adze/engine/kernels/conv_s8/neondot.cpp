#include "adze/engine/kernels/conv_s8/tile_neon.h"

namespace adze::kernels {
namespace {

/// 4 rows by 16 columns of sums in registers.
struct DotTile {
  static Starts starts(const GemmS8Call& call, std::int64_t column) {
    const std::int8_t* weights = call.weights + column * call.quads * 4;
    const int8x16_t ones = vdupq_n_s8(1);
    int32x4_t sums[4] = {};
    for (std::int64_t q = 0; q < call.quads; ++q, weights += 64) {
      for (int i = 0; i < 4; ++i) sums[i] = vdotq_s32(sums[i], vld1q_s8(weights + 16 * i), ones);
    }
    return starts_of(call, column, sums);
  }

  /// Do the next four quads of the window lie side by side?
  static bool in_succession(const std::int32_t* offset) {
    return offset[1] == offset[0] + 4 && offset[2] == offset[0] + 8 && offset[3] == offset[0] + 12;
  }

  template <int lane, int rows>
  [[gnu::always_inline]] static void add_lane(int32x4_t acc[][4], const int8x16_t* x, const std::int8_t* weights) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      const int8x16_t w = vld1q_s8(weights + 64 * lane + 16 * i);
#pragma GCC unroll 4
      for (int r = 0; r < rows; ++r) acc[r][i] = vdotq_laneq_s32(acc[r][i], w, x[r], lane);
    }
  }

  template <Profile profile, int rows>
  [[gnu::always_inline]] static void run(const GemmS8Call& call, const Starts& starts, std::int64_t row,
                                         std::int64_t column) {
    const std::uint8_t* x[rows];
    int32x4_t acc[rows][4];
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) {
      x[r] = call.rows[row + r];
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) acc[r][i] = starts.of[i];
    }
    const std::int8_t* weights = call.weights + column * call.quads * 4;
    const std::int32_t *offset = call.offsets, *end = offset + call.quads;
    while (offset != end) {
      int8x16_t part[rows];
      if (end - offset >= 4 && in_succession(offset)) {
#pragma GCC unroll 4
        for (int r = 0; r < rows; ++r) {
          part[r] = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(x[r] + *offset), vdupq_n_u8(0x80)));
        }
        add_lane<0, rows>(acc, part, weights);
        add_lane<1, rows>(acc, part, weights);
        add_lane<2, rows>(acc, part, weights);
        add_lane<3, rows>(acc, part, weights);
        offset += 4;
        weights += 256;
      } else {
#pragma GCC unroll 4
        for (int r = 0; r < rows; ++r) part[r] = broadcast_quad(x[r] + *offset);
        add_lane<0, rows>(acc, part, weights);
        offset += 1;
        weights += 64;
      }
    }
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) {
      store_row<profile>(call, row + r, column, acc[r]);
    }
  }
};

}  // namespace

void gemm_s8_neondot(const GemmS8Call& call) {
  multiply_by_tiles<DotTile>(call);
}

}  // namespace adze::kernels
