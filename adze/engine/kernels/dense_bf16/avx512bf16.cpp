#include "adze/engine/kernels/dense_bf16/prepare_avx512.h"

namespace adze::kernels {
namespace {

/// Sums of rows × vectors of 16 columns, in registers.
template <int rows, int vectors>
void tile(const DenseBf16Call& call, std::int64_t row, std::int64_t column) {
  const std::uint16_t* x[rows];
  for (int r = 0; r < rows; ++r) x[r] = call.x + (row + r) * call.x_stride;
  const std::int64_t block = call.pairs * 32;
  const std::uint16_t* weights = call.weights + column / 16 * block;
  __m512 acc[rows][vectors];
#pragma GCC unroll 4
  for (int v = 0; v < vectors; ++v) {
    const __m512 bias = call.bias == nullptr ? _mm512_setzero_ps() : _mm512_loadu_ps(call.bias + column + 16 * v);
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) acc[r][v] = bias;
  }
  for (std::int64_t p = 0; p < call.pairs; ++p, weights += 32) {
    __m512bh w[vectors];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) w[v] = (__m512bh)_mm512_loadu_si512(weights + v * block);
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
      int pair;
      __builtin_memcpy(&pair, x[r] + 2 * p, 4);
      const auto quad = (__m512bh)_mm512_set1_epi32(pair);
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) acc[r][v] = _mm512_dpbf16_ps(acc[r][v], quad, w[v]);
    }
  }
  const __m512 low = _mm512_set1_ps(call.low), high = _mm512_set1_ps(call.high);
  const __mmask16 inside = lanes_of(call.columns - column - 16 * (vectors - 1));
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) {
    float* y = call.y + (row + r) * call.y_stride + column;
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {  // not-a-number passes
      const __m512 value = _mm512_min_ps(high, _mm512_max_ps(low, acc[r][v]));
      _mm512_mask_storeu_ps(y + 16 * v, v + 1 < vectors ? 0xffff : inside, value);
    }
  }
}

template <int vectors>
void columns(const DenseBf16Call& call, std::int64_t column) {
  std::int64_t row = 0;
  for (; row + 6 <= call.row_count; row += 6) tile<6, vectors>(call, row, column);
  for (; row + 2 <= call.row_count; row += 2) tile<2, vectors>(call, row, column);
  if (row < call.row_count) tile<1, vectors>(call, row, column);
}

}  // namespace

void dense_bf16_avx512bf16(const DenseBf16Call& call) {
  std::int64_t column = 0;
  for (; call.columns - column > 48; column += 64) columns<4>(call, column);
  const std::int64_t left = call.columns - column;
  if (left > 32) return columns<3>(call, column);
  if (left > 16) return columns<2>(call, column);
  if (left > 0) return columns<1>(call, column);
}

void round_bf16_rows_avx512bf16(const Bf16RowsCall& call) {
  round_rows(call);
}
void pack_bf16_weights_avx512bf16(const Bf16WeightsCall& call) {
  pack_weights(call);
}

}  // namespace adze::kernels
