#pragma once

// For files compiled for AVX-512 only. Everything in an unnamed namespace: no symbol may reach other files.
#include "adze/engine/kernels/avx512_requantize.h"
#include "adze/engine/kernels/conv_s8/conv_s8_call.h"

namespace adze::kernels {
namespace {

/// How results are made: the three profiles, `Plain` for the onnx one with zero point 0 and bounds [0, 255], where
/// saturation does all, `Middle` for the one with all of a byte's range around its zero point, and `Wide` where
/// conversions need their bounds first. `Sums`: not made at all.
enum class Tail { Plain, Middle, Onnx, Tflm, Litert, Wide, Sums };

template <Tail tail, int vectors>
[[gnu::always_inline]] inline __m512i finish_group(const OutputStage& stage, const __m512i* acc, std::int64_t column) {
  if constexpr (tail == Tail::Wide) {
    __m128i part[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      part[i] = _mm512_cvtepi32_epi8(finish(stage, acc[i], column + 16 * (i % vectors)));
    }
    const __m512i low = _mm512_inserti32x4(_mm512_castsi128_si512(part[0]), part[1], 1);
    return _mm512_inserti32x4(_mm512_inserti32x4(low, part[2], 2), part[3], 3);
  } else {
    constexpr auto profile = tail == Tail::Tflm     ? OutputStage::Tflm
                             : tail == Tail::Litert ? OutputStage::Litert
                                                    : OutputStage::Onnx;
    __m512i wide[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      wide[i] = vectors == 3 && i == 3 ? _mm512_setzero_si512()
                                       : requantize<profile>(stage, acc[i], column + 16 * (i % vectors));
    }
    if constexpr (tail == Tail::Middle) return pack_around_zero(stage, wide);
    return pack_bytes<tail == Tail::Plain>(stage, wide);
  }
}

/// The first bytes of one row out of a group.
template <int vectors>
[[gnu::always_inline]] inline void store_row(std::uint8_t* y, __m512i bytes, int row, std::uint64_t mask) {
  if constexpr (vectors >= 3) {
    _mm512_mask_storeu_epi8(y, mask, bytes);
  } else if constexpr (vectors == 2) {
    const __m256i half = row == 0 ? _mm512_castsi512_si256(bytes) : _mm512_extracti64x4_epi64(bytes, 1);
    _mm256_mask_storeu_epi8(y, static_cast<__mmask32>(mask), half);
  } else {
    const __m128i quarter = row == 0   ? _mm512_castsi512_si128(bytes)
                            : row == 1 ? _mm512_extracti32x4_epi32(bytes, 1)
                            : row == 2 ? _mm512_extracti32x4_epi32(bytes, 2)
                                       : _mm512_extracti32x4_epi32(bytes, 3);
    _mm_mask_storeu_epi8(y, static_cast<__mmask16>(mask), quarter);
  }
}

inline Tail tail_of(const OutputStage& stage) {
  if (!can_pack(stage)) return Tail::Wide;
  if (stage.profile != OutputStage::Onnx) return stage.profile == OutputStage::Tflm ? Tail::Tflm : Tail::Litert;
  if (stage.high - stage.low != 255) return Tail::Onnx;
  if (stage.zero_point == stage.low + 128) return Tail::Middle;
  return stage.zero_point == 0 && stage.low == 0 ? Tail::Plain : Tail::Onnx;
}

/// Finishes accumulators [rows][vectors] of 16 columns each and stores them: y + r * y_stride gets the first `bytes`
/// of row r. Reads whole groups of four vectors.
template <Tail tail, int vectors>
[[gnu::always_inline]] inline void finish_row_group(const OutputStage& stage, const __m512i* acc, std::int64_t rows,
                                                    std::int64_t column, std::uint8_t* y, std::int64_t y_stride,
                                                    std::int64_t bytes) {
  constexpr int together = vectors >= 3 ? 1 : 4 / vectors;  // rows of a group of four vectors
  const __m512i group = finish_group<tail, vectors>(stage, acc, column);
  if (together > 1 && rows >= together && bytes == 16 * vectors && y_stride == bytes) {
    _mm512_storeu_si512(y, group);
    return;
  }
  const std::uint64_t mask = ~std::uint64_t{0} >> (64 - bytes);
#pragma GCC unroll 4
  for (int i = 0; i < together; ++i) {
    if (i < rows) store_row<vectors>(y + i * y_stride, group, i, mask);
  }
}

/// Of accumulators in registers.
template <Tail tail, int rows, int vectors>
[[gnu::always_inline]] inline void finish_rows(const OutputStage& stage, const __m512i* acc, std::int64_t column,
                                               std::uint8_t* y, std::int64_t y_stride, std::int64_t bytes) {
  constexpr int together = vectors >= 3 ? 1 : 4 / vectors;
#pragma GCC unroll 32
  for (int row = 0; row < rows; row += together) {
    __m512i group[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) group[i] = acc[row * vectors + i < rows * vectors ? row * vectors + i : 0];
    finish_row_group<tail, vectors>(stage, group, rows - row, column, y + row * y_stride, y_stride, bytes);
  }
}

/// Of accumulators in memory, for the tails that take long anyway; up to 3 vectors beyond the last are read.
template <int vectors>
[[gnu::noinline]] void finish_tile(Tail tail, const OutputStage& stage, const __m512i* acc, std::int64_t rows,
                                   std::int64_t column, std::uint8_t* y, std::int64_t y_stride, std::int64_t bytes) {
  constexpr int together = vectors >= 3 ? 1 : 4 / vectors;
  const auto all = [&](auto finish_one_group) {
    for (std::int64_t row = 0; row < rows; row += together) {
      finish_one_group(stage, acc + row * vectors, rows - row, column, y + row * y_stride, y_stride, bytes);
    }
  };
  if (tail == Tail::Tflm) return all(finish_row_group<Tail::Tflm, vectors>);
  if (tail == Tail::Litert) return all(finish_row_group<Tail::Litert, vectors>);
  if (tail == Tail::Wide) return all(finish_row_group<Tail::Wide, vectors>);
  if (tail == Tail::Middle) return all(finish_row_group<Tail::Middle, vectors>);
  if (tail == Tail::Onnx) return all(finish_row_group<Tail::Onnx, vectors>);
  return all(finish_row_group<Tail::Plain, vectors>);
}

}  // namespace
}  // namespace adze::kernels
