#include "adze/engine/kernels/avx512_requantize.h"
#include "adze/engine/kernels/conv_s8/conv_s8_call.h"

namespace adze::kernels {
namespace {

inline int load_quad(const std::uint8_t* x) {
  int quad;
  __builtin_memcpy(&quad, x, 4);
  return quad;
}

/// Rows rows by vectors * 16 columns, from the given row and column.
template <int rows, int vectors>
inline void tile(const GemmS8Call& call, std::int64_t row, std::int64_t column) {
  const std::int64_t block_bytes = call.segments * call.quads * 64;
  const std::int8_t* weights = call.weights + column / 16 * block_bytes;
  __m512i acc[rows][vectors];
#pragma GCC unroll 4
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
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) w[v] = _mm512_loadu_si512(weights + v * block_bytes);
#pragma GCC unroll 16
      for (int r = 0; r < rows; ++r) {
        const __m512i quad = _mm512_set1_epi32(load_quad(x[r] + 4 * q));
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) acc[r][v] = _mm512_dpbusd_epi32(acc[r][v], quad, w[v]);
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      const std::int64_t first = column + 16 * v, left = call.columns - first;
      const __m128i bytes = _mm512_cvtepi32_epi8(finish(*call.stage, acc[r][v], first));
      const auto mask = static_cast<__mmask16>(left >= 16 ? 0xffff : (1u << left) - 1);
      _mm_mask_storeu_epi8(call.y + (row + r) * call.y_stride + first, mask, bytes);
    }
  }
}

template <int most, int vectors>
inline void column_block(const GemmS8Call& call, std::int64_t column) {
  std::int64_t row = 0;
  for (; row + most <= call.row_count; row += most) tile<most, vectors>(call, row, column);
  for (; row + 4 <= call.row_count; row += 4) tile<4, vectors>(call, row, column);
  for (; row < call.row_count; ++row) tile<1, vectors>(call, row, column);
}

}  // namespace

void gemm_s8_avx512vnni(const GemmS8Call& call) {
  std::int64_t column = 0;
  for (; call.columns - column > 48; column += 64) column_block<6, 4>(call, column);
  for (; call.columns - column > 16; column += 32) column_block<12, 2>(call, column);
  for (; call.columns - column > 0; column += 16) column_block<12, 1>(call, column);
}

}  // namespace adze::kernels
