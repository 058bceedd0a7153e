#include "adze/engine/kernels/avx2_requantize.h"
#include "adze/engine/kernels/conv_s8/conv_s8_call.h"

namespace adze::kernels {
namespace {

inline int load_quad(const std::uint8_t* x) {
  int quad;
  __builtin_memcpy(&quad, x, 4);
  return quad;
}

/// Rows rows by 8 columns. Products in 16-bit pairs: maddubs would saturate where VNNI does not.
template <int rows>
inline void tile(const GemmS8Call& call, std::int64_t row, std::int64_t column) {
  const std::int8_t* weights = call.weights + column / 16 * call.quads * 64 + column % 16 * 4;
  const __m256i low_bytes_mask = _mm256_set1_epi16(0x00ff);
  __m256i acc[rows];
  const __m256i bias = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(call.stage->bias + column));
#pragma GCC unroll 4
  for (int r = 0; r < rows; ++r) acc[r] = bias;
  for (std::int64_t q = 0; q < call.quads; ++q, weights += 64) {
    const __m256i w = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights));
    const __m256i w_even = _mm256_srai_epi16(_mm256_slli_epi16(w, 8), 8), w_odd = _mm256_srai_epi16(w, 8);
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) {
      const __m256i x = _mm256_set1_epi32(load_quad(call.rows[row + r] + call.offsets[q]));
      const __m256i even = _mm256_madd_epi16(_mm256_and_si256(x, low_bytes_mask), w_even);
      const __m256i odd = _mm256_madd_epi16(_mm256_srli_epi16(x, 8), w_odd);
      acc[r] = _mm256_add_epi32(acc[r], _mm256_add_epi32(even, odd));
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < rows; ++r) {
    store_bytes(call.y + (row + r) * call.y_stride + column, finish(*call.stage, acc[r], column),
                call.columns - column);
  }
}

}  // namespace

void gemm_s8_avx2(const GemmS8Call& call) {
  for (std::int64_t column = 0; column < call.columns; column += 8) {
    std::int64_t row = 0;
    for (; row + 4 <= call.row_count; row += 4) tile<4>(call, row, column);
    for (; row < call.row_count; ++row) tile<1>(call, row, column);
  }
}

}  // namespace adze::kernels
