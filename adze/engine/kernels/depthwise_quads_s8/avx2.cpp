#include "adze/engine/kernels/avx2_requantize.h"
#include "adze/engine/kernels/depthwise_quads_s8/depthwise_quads_s8_call.h"

namespace adze::kernels {
namespace {

/// Sixteen channels of a pixel, each in 16 bits.
[[gnu::always_inline]] inline __m256i load_pixel(const std::uint8_t* x) {
  return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x)));
}

/// Four neighbouring pixels in pairs for VPMADDWD: the first with the third, the second with the fourth. Vector 0 of
/// each holds channels 0 … 3 and 8 … 11, vector 1 the others.
struct PixelPairs {
  __m256i of[2][2];

  [[gnu::always_inline]] PixelPairs(const std::uint8_t* x, std::int64_t pixel) {
#pragma GCC unroll 2
    for (int pair = 0; pair < 2; ++pair) {
      const __m256i first = load_pixel(x + pair * pixel), second = load_pixel(x + (pair + 2) * pixel);
      of[pair][0] = _mm256_unpacklo_epi16(first, second);
      of[pair][1] = _mm256_unpackhi_epi16(first, second);
    }
  }
};

/// Entries i and i + 32 of an array in the order of quads, four each, are the halves of a vector.
template <typename T>
inline __m256i load_halves(const T* from) {
  const auto part = [&](int i) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i)); };
  return _mm256_inserti128_si256(_mm256_castsi128_si256(part(0)), part(32), 1);
}

/// What sixteen channels need: weights split into pairs as pixels are, and the stage's arrays in the order of vectors.
template <int side, int outputs, int quads>
struct Channels {
  __m256i weights[side][outputs][quads][2][2];
  alignas(32) std::int32_t bias[16];
  alignas(32) std::int32_t multiplier[16], shift[16];
  alignas(32) float scale[16];
  OutputStage stage;

  /// entry: of the first channel in arrays; from: of the block of 64, at the sixteen's 128-bit lane.
  Channels(const OutputStage& given, std::int64_t entry, const std::int8_t* from) : stage(given) {
    for (int i = 0; i < side * outputs * quads; ++i) {
      auto& to = weights[i / (outputs * quads)][i / quads % outputs][i % quads];
      for (int v = 0; v < 2; ++v) {  // 64 lanes of four bytes: a vector's halves are 32 lanes apart
        const auto* bytes = from + i * 256 + 64 * v;
        const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
        const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + 128));
        const __m256i both = _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
        to[0][v] = _mm256_srai_epi16(_mm256_slli_epi16(both, 8), 8);
        to[1][v] = _mm256_srai_epi16(both, 8);
      }
    }
    const auto copy = [&](auto* to, const auto* array) {
      for (int v = 0; v < 2; ++v) {
        _mm256_store_si256(reinterpret_cast<__m256i*>(to + 8 * v), load_halves(array + entry + 16 * v));
      }
    };
    copy(bias, given.bias);
    if (given.profile == OutputStage::Onnx) {
      copy(scale, given.scale);
    } else {
      copy(multiplier, given.multiplier);
      copy(shift, given.shift);
    }
    stage.multiplier = multiplier;
    stage.shift = shift;
    stage.scale = scale;
  }
};

[[gnu::always_inline]] inline __m128i finish_channels(const OutputStage& stage, const __m256i acc[2]) {
  __m256i words = _mm256_packs_epi32(requantize(stage, acc[0], 0), requantize(stage, acc[1], 8));
  words = _mm256_adds_epi16(words, _mm256_set1_epi16(static_cast<short>(stage.zero_point)));
  const __m128i first = _mm256_castsi256_si128(words), second = _mm256_extracti128_si256(words, 1);
  const __m128i low = _mm_set1_epi8(static_cast<char>(stage.low)), high = _mm_set1_epi8(static_cast<char>(stage.high));
  if (stage.low < 0) return _mm_min_epi8(_mm_max_epi8(_mm_packs_epi16(first, second), low), high);
  return _mm_min_epu8(_mm_max_epu8(_mm_packus_epi16(first, second), low), high);
}

[[gnu::always_inline]] inline void store_some(std::uint8_t* y, __m128i bytes, std::int64_t count) {
  if (count >= 16) return _mm_storeu_si128(reinterpret_cast<__m128i*>(y), bytes);
  alignas(16) std::uint8_t all[16];
  _mm_store_si128(reinterpret_cast<__m128i*>(all), bytes);
  for (std::int64_t i = 0; i < count; ++i) y[i] = all[i];
}

template <int side, int stride>
struct Sixteen {
  static constexpr QuadShape shape{side, stride};
  static constexpr int outputs = shape.outputs(), quads = shape.quads();

  const DepthwiseQuadsS8Call& call;
  const Channels<side, outputs, quads>& channels;
  std::int64_t first;

  /// `outputs` pixels of `together` rows, from the column on.
  template <int together>
  [[gnu::always_inline]] void tile(std::int64_t row, std::int64_t column) const {
    __m256i acc[together][outputs][2];
#pragma GCC unroll 2
    for (int r = 0; r < together; ++r) {
#pragma GCC unroll 4
      for (int p = 0; p < outputs; ++p) {
        acc[r][p][0] = _mm256_load_si256(reinterpret_cast<const __m256i*>(channels.bias));
        acc[r][p][1] = _mm256_load_si256(reinterpret_cast<const __m256i*>(channels.bias + 8));
      }
    }
    const std::int64_t pixel = call.channels;
    const std::uint8_t* x = call.x + row * stride * call.x_row + column * stride * pixel + first;
#pragma GCC unroll 8
    for (int j = 0; j < (together - 1) * stride + side; ++j, x += call.x_row) {
#pragma GCC unroll 2
      for (int q = 0; q < quads; ++q) {
        const PixelPairs pixels(x + 4 * q * pixel, pixel);
#pragma GCC unroll 2
        for (int r = 0; r < together; ++r) {
          const int ky = j - r * stride;
          if (ky < 0 || ky >= side) continue;
#pragma GCC unroll 4
          for (int p = 0; p < outputs; ++p) {
            if (shape.meets(p, q)) add(acc[r][p], pixels, channels.weights[ky][p][q]);
          }
        }
      }
    }
#pragma GCC unroll 2
    for (int r = 0; r < together; ++r) {
      std::uint8_t* y = call.y + (row + r) * call.y_row + column * pixel + first;
#pragma GCC unroll 4
      for (int p = 0; p < outputs; ++p) {
        if (column + p < call.columns)
          store_some(y + p * pixel, finish_channels(channels.stage, acc[r][p]), call.channels - first);
      }
    }
  }

  [[gnu::always_inline]] static void add(__m256i (&acc)[2], const PixelPairs& pixels, const __m256i (&weights)[2][2]) {
#pragma GCC unroll 2
    for (int v = 0; v < 2; ++v) {
      const __m256i even = _mm256_madd_epi16(pixels.of[0][v], weights[0][v]);
      const __m256i odd = _mm256_madd_epi16(pixels.of[1][v], weights[1][v]);
      acc[v] = _mm256_add_epi32(acc[v], _mm256_add_epi32(even, odd));
    }
  }

  void run() const {
    constexpr int together = side == 3 ? 2 : 1;
    std::int64_t row = 0;
    for (; row + together <= call.rows; row += together) {
      for (std::int64_t column = 0; column < call.columns; column += outputs) tile<together>(row, column);
    }
    for (; row < call.rows; ++row) {
      for (std::int64_t column = 0; column < call.columns; column += outputs) tile<1>(row, column);
    }
  }
};

/// Arrays hold 64 entries for each block: lane 16 i + l of them is what vector i, lane l of a 512-bit kernel reads.
template <int side, int stride>
void run_sixteens(const DepthwiseQuadsS8Call& call) {
  using Rows = Sixteen<side, stride>;
  for (std::int64_t first = 0; first < call.channels; first += 16) {
    const std::int64_t block = first / 64, lane = first % 64 / 16;
    const std::int8_t* weights = call.weights + block * side * Rows::outputs * Rows::quads * 256 + 16 * lane;
    const Channels<side, Rows::outputs, Rows::quads> channels(*call.stage, 64 * block + 4 * lane, weights);
    Rows{call, channels, first}.run();
  }
}

}  // namespace

void depthwise_quads_s8_3x3_avx2(const DepthwiseQuadsS8Call& call) {
  run_sixteens<3, 1>(call);
}
void depthwise_quads_s8_3x3s2_avx2(const DepthwiseQuadsS8Call& call) {
  run_sixteens<3, 2>(call);
}
void depthwise_quads_s8_5x5_avx2(const DepthwiseQuadsS8Call& call) {
  run_sixteens<5, 1>(call);
}
void depthwise_quads_s8_5x5s2_avx2(const DepthwiseQuadsS8Call& call) {
  run_sixteens<5, 2>(call);
}

}  // namespace adze::kernels
