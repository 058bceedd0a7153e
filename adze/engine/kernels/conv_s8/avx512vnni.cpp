#include "adze/engine/kernels/avx512_requantize.h"
#include "adze/engine/kernels/conv_s8/conv_s8_call.h"

namespace adze::kernels {
namespace {

/// acc += products of four unsigned bytes (the same in all lanes) with four signed ones. Written out because GCC 12
/// copies the accumulators of the intrinsic to memory and back when there are many.
[[gnu::always_inline]] inline void multiply_add(__m512i& acc, __m512i quad, __m512i w) {
  asm("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(quad), "v"(w));
}

[[gnu::always_inline]] inline __m512i broadcast_quad(const std::uint8_t* x) {
  int quad;
  __builtin_memcpy(&quad, x, 4);
  return _mm512_set1_epi32(quad);
}

/// Stores the first count bytes.
[[gnu::always_inline]] inline void store(std::uint8_t* y, __m512i bytes, std::int64_t count) {
  if (count >= 64) {
    _mm512_storeu_si512(y, bytes);
  } else {
    _mm512_mask_storeu_epi8(y, (std::uint64_t{1} << count) - 1, bytes);
  }
}

template <int vectors>
[[gnu::always_inline]] inline void finish_row(const GemmS8Call& call, const __m512i* acc, std::uint8_t* y,
                                              std::int64_t column) {
  const OutputStage& stage = *call.stage;
#pragma GCC unroll 2
  for (int v = 0; v < vectors; v += 4) {
    constexpr int count = vectors < 4 ? vectors : 4;
    const std::int64_t first = column + 16 * v;
    __m512i bytes;
    if (!can_pack(stage)) {
      __m128i part[4];
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        part[i] = i < count ? _mm512_cvtepi32_epi8(finish(stage, acc[v + i], first + 16 * i)) : _mm_setzero_si128();
      }
      bytes = _mm512_inserti32x4(_mm512_castsi128_si512(part[0]), part[1], 1);
      bytes = _mm512_inserti32x4(_mm512_inserti32x4(bytes, part[2], 2), part[3], 3);
    } else if (stage.profile == OutputStage::Onnx) {
      bytes = finish_four<OutputStage::Onnx, count>(stage, acc + v, first);
    } else if (stage.profile == OutputStage::Tflm) {
      bytes = finish_four<OutputStage::Tflm, count>(stage, acc + v, first);
    } else {
      bytes = finish_four<OutputStage::Litert, count>(stage, acc + v, first);
    }
    const std::int64_t left = call.columns - first;
    if (left > 0) store(y + first, bytes, left < 16 * count ? left : 16 * count);
  }
}

/// Rows rows by vectors * 16 columns, from the given row and column.
template <int rows, int vectors>
[[gnu::always_inline]] inline void tile(const GemmS8Call& call, std::int64_t row, std::int64_t column) {
  const std::int64_t block_bytes = call.segments * call.quads * 64;
  const std::int8_t* weights = call.weights + column / 16 * block_bytes;
  __m512i acc[rows][vectors];
#pragma GCC unroll 8
  for (int v = 0; v < vectors; ++v) {
    const __m512i bias = _mm512_loadu_si512(call.stage->bias + column + 16 * v);
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) acc[r][v] = bias;
  }
  for (std::int64_t s = 0; s < call.segments; ++s) {
    const std::uint8_t* x[rows];
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) x[r] = call.rows[row + r] + call.offsets[s];
    for (std::int64_t q = 0; q < call.quads; ++q, weights += 64) {
      __m512i w[vectors];
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) w[v] = _mm512_loadu_si512(weights + v * block_bytes);
#pragma GCC unroll 16
      for (int r = 0; r < rows; ++r) {
        const __m512i quad = broadcast_quad(x[r] + 4 * q);
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v) multiply_add(acc[r][v], quad, w[v]);
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r) finish_row<vectors>(call, acc[r], call.y + (row + r) * call.y_stride, column);
}

/// All rows of some columns: tiles of `most` rows and of one less, so that none is left over where there are enough.
template <int most, int vectors>
[[gnu::always_inline]] inline void column_block(const GemmS8Call& call, std::int64_t column) {
  std::int64_t row = 0;
  const std::int64_t less = (most - call.row_count % most) % most;
  if (less * (most - 1) <= call.row_count) {
    for (; row < less * (most - 1); row += most - 1) tile<most - 1, vectors>(call, row, column);
  }
  for (; row + most <= call.row_count; row += most) tile<most, vectors>(call, row, column);
  for (; row + 4 <= call.row_count; row += 4) tile<4, vectors>(call, row, column);
  for (; row + 2 <= call.row_count; row += 2) tile<2, vectors>(call, row, column);
  for (; row < call.row_count; ++row) tile<1, vectors>(call, row, column);
}

}  // namespace

void gemm_s8_avx512vnni(const GemmS8Call& call) {
  std::int64_t column = 0;
  if (call.row_count == 1) {  // nothing but weights: as many streams as hide the latency
    for (; call.columns - column > 112; column += 128) tile<1, 8>(call, 0, column);
  }
  for (; call.columns - column > 48; column += 64) column_block<6, 4>(call, column);
  for (; call.columns - column > 32; column += 48) column_block<8, 3>(call, column);
  for (; call.columns - column > 16; column += 32) column_block<12, 2>(call, column);
  for (; call.columns - column > 0; column += 16) column_block<12, 1>(call, column);
}

}  // namespace adze::kernels
