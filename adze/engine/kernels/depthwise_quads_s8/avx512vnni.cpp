#include "adze/engine/kernels/avx512_requantize.h"
#include "adze/engine/kernels/depthwise_quads_s8/depthwise_quads_s8_call.h"

namespace adze::kernels {
namespace {

/// A pixel's channels of all pieces, side by side.
template <int pieces>
[[gnu::always_inline]] inline __m512i load_pixel(const std::uint8_t* x, std::int64_t piece) {
  if constexpr (pieces == 1) {
    return _mm512_loadu_si512(x);
  } else if constexpr (pieces == 2) {
    const __m256i first = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x));
    const __m256i second = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + piece));
    return _mm512_inserti64x4(_mm512_castsi256_si512(first), second, 1);
  } else {
    const auto part = [&](int i) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + i * piece)); };
    __m512i pixel = _mm512_inserti32x4(_mm512_castsi128_si512(part(0)), part(1), 1);
    pixel = _mm512_inserti32x4(pixel, part(2), 2);
    return _mm512_inserti32x4(pixel, part(3), 3);
  }
}

/// Four neighbouring pixels, channel by channel: vector i holds channels 4 i … 4 i + 3 of each 16, four bytes each.
template <int pieces>
[[gnu::always_inline]] inline void load_quads(const std::uint8_t* x, std::int64_t pixel, std::int64_t piece,
                                              __m512i quads[4]) {
  const __m512i a = load_pixel<pieces>(x, piece), b = load_pixel<pieces>(x + pixel, piece);
  const __m512i c = load_pixel<pieces>(x + 2 * pixel, piece), d = load_pixel<pieces>(x + 3 * pixel, piece);
  const __m512i ab_low = _mm512_unpacklo_epi8(a, b), ab_high = _mm512_unpackhi_epi8(a, b);
  const __m512i cd_low = _mm512_unpacklo_epi8(c, d), cd_high = _mm512_unpackhi_epi8(c, d);
  quads[0] = _mm512_unpacklo_epi16(ab_low, cd_low);
  quads[1] = _mm512_unpackhi_epi16(ab_low, cd_low);
  quads[2] = _mm512_unpacklo_epi16(ab_high, cd_high);
  quads[3] = _mm512_unpackhi_epi16(ab_high, cd_high);
}

[[gnu::always_inline]] inline void multiply_add(__m512i& acc, __m512i quads, const std::int8_t* weights) {
  asm("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(quads), "m"(*reinterpret_cast<const __m512i*>(weights)));
}

/// Sums in the order of quads to bytes in the order of channels: packing within lanes undoes it.
template <OutputStage::Profile profile>
[[gnu::always_inline]] inline __m512i finish_quads(const OutputStage& stage, const __m512i acc[4], std::int64_t entry) {
  __m512i wide[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) wide[i] = requantize<profile>(stage, acc[i], entry + 16 * i);
  const __m512i zero_point = _mm512_set1_epi16(static_cast<short>(stage.zero_point));
  const __m512i first = _mm512_adds_epi16(_mm512_packs_epi32(wide[0], wide[1]), zero_point);
  const __m512i second = _mm512_adds_epi16(_mm512_packs_epi32(wide[2], wide[3]), zero_point);
  const __m512i low = _mm512_set1_epi8(static_cast<char>(stage.low));
  const __m512i high = _mm512_set1_epi8(static_cast<char>(stage.high));
  if (stage.low < 0) return _mm512_min_epi8(_mm512_max_epi8(_mm512_packs_epi16(first, second), low), high);
  return _mm512_min_epu8(_mm512_max_epu8(_mm512_packus_epi16(first, second), low), high);
}

/// Stores each piece's channels at its own pixel, if that pixel is in the row.
template <int pieces>
[[gnu::always_inline]] inline void store_pixel(std::uint8_t* y, std::int64_t piece, std::int64_t column,
                                               std::int64_t piece_columns, std::int64_t columns, __mmask64 mask,
                                               __m512i bytes) {
  if constexpr (pieces == 1) {
    if (column < columns) _mm512_mask_storeu_epi8(y, mask, bytes);
  } else if constexpr (pieces == 2) {
    const auto some = static_cast<__mmask32>(mask);
    if (column < piece_columns) _mm256_mask_storeu_epi8(y, some, _mm512_castsi512_si256(bytes));
    if (column < piece_columns && column + piece_columns < columns)
      _mm256_mask_storeu_epi8(y + piece, some, _mm512_extracti64x4_epi64(bytes, 1));
  } else {
    const auto some = static_cast<__mmask16>(mask);
    const __m128i part[4] = {_mm512_castsi512_si128(bytes), _mm512_extracti32x4_epi32(bytes, 1),
                             _mm512_extracti32x4_epi32(bytes, 2), _mm512_extracti32x4_epi32(bytes, 3)};
    for (int i = 0; i < 4; ++i) {
      if (column < piece_columns && column + i * piece_columns < columns)
        _mm_mask_storeu_epi8(y + i * piece, some, part[i]);
    }
  }
}

template <int side, int stride, int pieces, OutputStage::Profile profile>
struct Rows {
  static constexpr QuadShape shape{side, stride};
  static constexpr int outputs = shape.outputs(), quads = shape.quads();

  const DepthwiseQuadsS8Call& call;
  const QuadBlock block;
  const std::int8_t* weights;
  std::int64_t piece_columns, entry;
  __mmask64 mask;

  Rows(const DepthwiseQuadsS8Call& given, const QuadBlock& at)
      : call(given),
        block(at),
        weights(given.weights + at.first / 64 * side * outputs * quads * 256),
        piece_columns((given.columns + pieces - 1) / pieces),
        entry(at.first / 64 * 64) {
    const std::int64_t left = given.channels - at.first;
    mask = left >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << left) - 1;
  }

  /// `outputs` pixels (and pieces) of `together` rows, from the column on.
  template <int together>
  [[gnu::always_inline]] void tile(std::int64_t row, std::int64_t column) const {
    __m512i acc[together][outputs][4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      const __m512i bias = _mm512_loadu_si512(call.stage->bias + entry + 16 * i);
#pragma GCC unroll 2
      for (int r = 0; r < together; ++r) {
#pragma GCC unroll 4
        for (int p = 0; p < outputs; ++p) acc[r][p][i] = bias;
      }
    }
    const std::int64_t pixel = call.channels, piece = piece_columns * stride * pixel;
    const std::uint8_t* x = call.x + row * stride * call.x_row + column * stride * pixel + block.first;
#pragma GCC unroll 8
    for (int j = 0; j < (together - 1) * stride + side; ++j, x += call.x_row) {
#pragma GCC unroll 2
      for (int q = 0; q < quads; ++q) {
        __m512i pixels[4];
        load_quads<pieces>(x + 4 * q * pixel, pixel, piece, pixels);
#pragma GCC unroll 2
        for (int r = 0; r < together; ++r) {
          const int ky = j - r * stride;
          if (ky < 0 || ky >= side) continue;
#pragma GCC unroll 4
          for (int p = 0; p < outputs; ++p) {
            if (!shape.meets(p, q)) continue;
            const std::int8_t* w = weights + ((ky * outputs + p) * quads + q) * 256;
#pragma GCC unroll 4
            for (int i = 0; i < 4; ++i) multiply_add(acc[r][p][i], pixels[i], w + 64 * i);
          }
        }
      }
    }
    const std::int64_t y_piece = piece_columns * pixel;
#pragma GCC unroll 2
    for (int r = 0; r < together; ++r) {
      std::uint8_t* y = call.y + (row + r) * call.y_row + column * pixel + block.first;
#pragma GCC unroll 4
      for (int p = 0; p < outputs; ++p) {
        store_pixel<pieces>(y + p * pixel, y_piece, column + p, piece_columns, call.columns, mask,
                            finish_quads<profile>(*call.stage, acc[r][p], entry));
      }
    }
  }

  void run() const {
    constexpr int together = side == 3 && stride == 1 ? 2 : 1;
    std::int64_t row = 0;
    for (; row + together <= call.rows; row += together) {
      for (std::int64_t column = 0; column < piece_columns; column += outputs) tile<together>(row, column);
    }
    for (; row < call.rows; ++row) {
      for (std::int64_t column = 0; column < piece_columns; column += outputs) tile<1>(row, column);
    }
  }
};

template <int side, int stride, OutputStage::Profile profile>
void run_blocks(const DepthwiseQuadsS8Call& call) {
  for (std::int64_t first = 0; first < call.channels; first += 64) {
    const QuadBlock block = quad_block(call.channels, first);
    if (block.width == 64) {
      Rows<side, stride, 1, profile>(call, block).run();
    } else if (block.width == 32) {
      Rows<side, stride, 2, profile>(call, block).run();
    } else {
      Rows<side, stride, 4, profile>(call, block).run();
    }
  }
}

template <int side, int stride>
void run_profile(const DepthwiseQuadsS8Call& call) {
  switch (call.stage->profile) {
    case OutputStage::Tflm:
      return run_blocks<side, stride, OutputStage::Tflm>(call);
    case OutputStage::Litert:
      return run_blocks<side, stride, OutputStage::Litert>(call);
    default:
      return run_blocks<side, stride, OutputStage::Onnx>(call);
  }
}

}  // namespace

void depthwise_quads_s8_3x3_avx512vnni(const DepthwiseQuadsS8Call& call) {
  run_profile<3, 1>(call);
}
void depthwise_quads_s8_3x3s2_avx512vnni(const DepthwiseQuadsS8Call& call) {
  run_profile<3, 2>(call);
}
void depthwise_quads_s8_5x5_avx512vnni(const DepthwiseQuadsS8Call& call) {
  run_profile<5, 1>(call);
}
void depthwise_quads_s8_5x5s2_avx512vnni(const DepthwiseQuadsS8Call& call) {
  run_profile<5, 2>(call);
}

}  // namespace adze::kernels
