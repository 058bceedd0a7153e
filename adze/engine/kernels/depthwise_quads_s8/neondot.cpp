#include "adze/engine/kernels/depthwise_quads_s8/depthwise_quads_s8_call.h"
#include "adze/engine/kernels/neon_requantize.h"

namespace adze::kernels {
namespace {

/// Four neighbouring pixels of 16 channels, channel by channel, from 128: vector i holds channels 4 i … 4 i + 3.
[[gnu::always_inline]] inline void load_quads(const std::uint8_t* x, std::int64_t pixel, int8x16_t quads[4]) {
  const uint8x16_t middle = vdupq_n_u8(0x80);
  const uint8x16_t a = veorq_u8(vld1q_u8(x), middle), b = veorq_u8(vld1q_u8(x + pixel), middle);
  const uint8x16_t c = veorq_u8(vld1q_u8(x + 2 * pixel), middle), d = veorq_u8(vld1q_u8(x + 3 * pixel), middle);
  const uint16x8_t ab_low = vreinterpretq_u16_u8(vzip1q_u8(a, b)), ab_high = vreinterpretq_u16_u8(vzip2q_u8(a, b));
  const uint16x8_t cd_low = vreinterpretq_u16_u8(vzip1q_u8(c, d)), cd_high = vreinterpretq_u16_u8(vzip2q_u8(c, d));
  quads[0] = vreinterpretq_s8_u16(vzip1q_u16(ab_low, cd_low));
  quads[1] = vreinterpretq_s8_u16(vzip2q_u16(ab_low, cd_low));
  quads[2] = vreinterpretq_s8_u16(vzip1q_u16(ab_high, cd_high));
  quads[3] = vreinterpretq_s8_u16(vzip2q_u16(ab_high, cd_high));
}

/// Sums are complete here: GCC would move what belongs to a pixel to where it is known to be stored, and with that keep
/// everything it reads until then.
[[gnu::always_inline]] inline void settle(int32x4_t acc[4]) {
  asm("" : "+w"(acc[0]), "+w"(acc[1]), "+w"(acc[2]), "+w"(acc[3]));
}

/// 16 channels. Arrays in the order of quads hold 64 lanes of four vectors each; these channels' four are at `entry`
/// and every 16 after it, and so are their weights, by four bytes.
template <int side, int stride, Profile profile>
struct Channels {
  static constexpr QuadShape shape{side, stride};
  static constexpr int outputs = shape.outputs(), quads = shape.quads();

  const DepthwiseQuadsS8Call& call;
  const std::int64_t first, entry, count;
  const std::int8_t* weights;
  int32x4_t starts[4];

  Channels(const DepthwiseQuadsS8Call& given, std::int64_t channel)
      : call(given),
        first(channel),
        entry(channel / 64 * 64 + channel % 64 / 4),
        count(given.channels - channel),
        weights(given.weights + channel / 64 * side * outputs * quads * 256 + channel % 64) {
    // What counting from 128 takes away, by the weights as the first output has them.
    const int8x16_t ones = vdupq_n_s8(1);
    int32x4_t sums[4] = {};
    for (int ky = 0; ky < side; ++ky) {
      for (int q = 0; q < quads; ++q) {
        const std::int8_t* w = weights_of(ky, 0, q);
        for (int i = 0; i < 4; ++i) sums[i] = vdotq_s32(sums[i], vld1q_s8(w + 64 * i), ones);
      }
    }
    for (int i = 0; i < 4; ++i) {
      starts[i] = add_wrapping(vld1q_s32(given.stage->bias + entry + 16 * i), vshlq_n_s32(sums[i], 7));
    }
  }

  [[gnu::always_inline]] const std::int8_t* weights_of(int ky, int output, int quad) const {
    return weights + ((ky * outputs + output) * quads + quad) * 256;
  }

  [[gnu::always_inline]] uint8x16_t finish(const int32x4_t acc[4]) const {
    const OutputStage& stage = *call.stage;
    return pack_bytes(stage, requantize<profile>(stage, acc[0], entry), requantize<profile>(stage, acc[1], entry + 16),
                      requantize<profile>(stage, acc[2], entry + 32), requantize<profile>(stage, acc[3], entry + 48));
  }

  /// `outputs` pixels of `together` rows, from the column on.
  template <int together>
  [[gnu::always_inline]] void tile(std::int64_t row, std::int64_t column) const {
    int32x4_t acc[together][outputs][4];
#pragma GCC unroll 2
    for (int r = 0; r < together; ++r) {
#pragma GCC unroll 4
      for (int p = 0; p < outputs; ++p) {
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) acc[r][p][i] = starts[i];
      }
    }
    const std::int64_t pixel = call.channels;
    const std::uint8_t* x = call.x + row * stride * call.x_row + column * stride * pixel + first;
#pragma GCC unroll 8
    for (int j = 0; j < (together - 1) * stride + side; ++j, x += call.x_row) {
#pragma GCC unroll 2
      for (int q = 0; q < quads; ++q) {
        int8x16_t pixels[4];
        load_quads(x + 4 * q * pixel, pixel, pixels);
#pragma GCC unroll 2
        for (int r = 0; r < together; ++r) {
          const int ky = j - r * stride;
          if (ky < 0 || ky >= side) continue;
#pragma GCC unroll 4
          for (int p = 0; p < outputs; ++p) {
            if (!shape.meets(p, q)) continue;
            const std::int8_t* w = weights_of(ky, p, q);
#pragma GCC unroll 4
            for (int i = 0; i < 4; ++i) acc[r][p][i] = vdotq_s32(acc[r][p][i], pixels[i], vld1q_s8(w + 64 * i));
          }
        }
      }
    }
#pragma GCC unroll 2
    for (int r = 0; r < together; ++r) {
#pragma GCC unroll 4
      for (int p = 0; p < outputs; ++p) settle(acc[r][p]);
    }
#pragma GCC unroll 2
    for (int r = 0; r < together; ++r) {
      std::uint8_t* y = call.y + (row + r) * call.y_row + column * pixel + first;
#pragma GCC unroll 4
      for (int p = 0; p < outputs; ++p) {
        if (column + p < call.columns) store_first(y + p * pixel, finish(acc[r][p]), count);
      }
    }
  }

  void run() const {
    constexpr int together = side == 3 && stride == 1 ? 2 : 1;
    std::int64_t row = 0;
    for (; row + together <= call.rows; row += together) {
      for (std::int64_t column = 0; column < call.columns; column += outputs) tile<together>(row, column);
    }
    for (; row < call.rows; ++row) {
      for (std::int64_t column = 0; column < call.columns; column += outputs) tile<1>(row, column);
    }
  }
};

template <int side, int stride>
void run_filter(const DepthwiseQuadsS8Call& call) {
  with_profile(*call.stage, [&]<Profile profile>() {
    for (std::int64_t channel = 0; channel < call.channels; channel += 16) {
      Channels<side, stride, profile>(call, channel).run();
    }
  });
}

}  // namespace

void depthwise_quads_s8_3x3_neondot(const DepthwiseQuadsS8Call& call) {
  run_filter<3, 1>(call);
}
void depthwise_quads_s8_3x3s2_neondot(const DepthwiseQuadsS8Call& call) {
  run_filter<3, 2>(call);
}
void depthwise_quads_s8_5x5_neondot(const DepthwiseQuadsS8Call& call) {
  run_filter<5, 1>(call);
}
void depthwise_quads_s8_5x5s2_neondot(const DepthwiseQuadsS8Call& call) {
  run_filter<5, 2>(call);
}

}  // namespace adze::kernels
