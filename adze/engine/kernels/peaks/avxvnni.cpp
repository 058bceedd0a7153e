#include <immintrin.h>

#include "adze/engine/kernels/peaks/peaks_call.h"

namespace adze::kernels {

int peak_s8_avxvnni() {
  constexpr int chains = 12;
  __m256i sums[chains];
  for (__m256i& sum : sums) sum = _mm256_setzero_si256();
  __m256i x = _mm256_set1_epi8(1);
  for (int round = 0; round < peak_rounds; ++round) {
    asm volatile("" : "+x"(x));
#pragma GCC unroll 12
    for (__m256i& sum : sums) sum = _mm256_dpbusd_avx_epi32(sum, x, x);
  }
  __m256i total = _mm256_setzero_si256();
  for (const __m256i sum : sums) total = _mm256_add_epi32(total, sum);
  return _mm256_cvtsi256_si32(total);
}

}  // namespace adze::kernels
