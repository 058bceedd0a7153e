#include <immintrin.h>

#include "adze/engine/kernels/peaks/peaks_call.h"

namespace adze::kernels {

int peak_bf16_avx512bf16() {
  constexpr int chains = 16;
  __m512 sums[chains];
  for (__m512& sum : sums) sum = _mm512_setzero_ps();
  __m512i ones = _mm512_set1_epi16(0x3f80);
  for (int round = 0; round < peak_rounds; ++round) {
    asm volatile("" : "+v"(ones));
    const auto x = (__m512bh)ones;
#pragma GCC unroll 16
    for (__m512& sum : sums) sum = _mm512_dpbf16_ps(sum, x, x);
  }
  __m512 total = _mm512_setzero_ps();
  for (const __m512 sum : sums) total = _mm512_add_ps(total, sum);
  return static_cast<int>(_mm512_cvtss_f32(total));
}

}  // namespace adze::kernels
