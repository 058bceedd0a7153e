#include <immintrin.h>

#include "adze/engine/kernels/sums_f32/sums_f32_call.h"

namespace adze::kernels {

void sums_f32_avx512vnni(const SumsF32Call& call) {
  for (std::int64_t r = 0; r < call.rows; ++r) {
    auto* row = static_cast<float*>(call.sums) + r * call.columns;
    for (std::int64_t j = 0; j < call.columns; j += 16) {
      const std::int64_t left = call.columns - j;
      const auto mask = static_cast<__mmask16>(left >= 16 ? 0xffff : (1u << left) - 1);
      __m512 y = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_maskz_loadu_epi32(mask, row + j)),
                               _mm512_maskz_loadu_ps(mask, call.scale + j));
      if (call.bias != nullptr) y = _mm512_add_ps(y, _mm512_maskz_loadu_ps(mask, call.bias + j));
      _mm512_mask_storeu_ps(row + j, mask, y);
    }
  }
}

}  // namespace adze::kernels
