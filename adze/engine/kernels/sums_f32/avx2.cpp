#include <immintrin.h>

#include "adze/engine/kernels/sums_f32/sums_f32_call.h"

namespace adze::kernels {

void sums_f32_avx2(const SumsF32Call& call) {
  for (std::int64_t r = 0; r < call.rows; ++r) {
    auto* row = static_cast<float*>(call.sums) + r * call.columns;
    for (std::int64_t j = 0; j < call.columns; j += 8) {
      const std::int64_t left = call.columns - j;
      const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
      const __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(left >= 8 ? 8 : static_cast<int>(left)), lanes);
      const __m256i sums = _mm256_maskload_epi32(reinterpret_cast<const int*>(row + j), mask);
      __m256 y = _mm256_mul_ps(_mm256_cvtepi32_ps(sums), _mm256_maskload_ps(call.scale + j, mask));
      if (call.bias != nullptr) y = _mm256_add_ps(y, _mm256_maskload_ps(call.bias + j, mask));
      _mm256_maskstore_ps(row + j, mask, y);
    }
  }
}

}  // namespace adze::kernels
