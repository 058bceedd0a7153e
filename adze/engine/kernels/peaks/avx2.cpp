#include <immintrin.h>

#include "adze/engine/kernels/peaks/peaks_call.h"

namespace adze::kernels {

int peak_f32_avx2() {
  constexpr int chains = 12;
  __m256 sums[chains];
  for (__m256& sum : sums) sum = _mm256_setzero_ps();
  __m256 x = _mm256_set1_ps(1.0f);
  for (int round = 0; round < peak_rounds; ++round) {
    asm volatile("" : "+x"(x));
#pragma GCC unroll 12
    for (__m256& sum : sums) sum = _mm256_fmadd_ps(x, x, sum);
  }
  __m256 total = _mm256_setzero_ps();
  for (const __m256 sum : sums) total = _mm256_add_ps(total, sum);
  return static_cast<int>(_mm256_cvtss_f32(total));
}

/// Without VNNI the exact way is through 16 bits: VPMADDWD.
int peak_s8_avx2() {
  constexpr int chains = 8;
  __m256i sums[chains];
  for (__m256i& sum : sums) sum = _mm256_setzero_si256();
  __m256i x = _mm256_set1_epi16(1);
  for (int round = 0; round < peak_rounds; ++round) {
    asm volatile("" : "+x"(x));
#pragma GCC unroll 8
    for (__m256i& sum : sums) {
      __m256i y = x;
      asm volatile("" : "+x"(y));  // a product of its own for each chain
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(x, y));
    }
  }
  __m256i total = _mm256_setzero_si256();
  for (const __m256i sum : sums) total = _mm256_add_epi32(total, sum);
  return _mm256_cvtsi256_si32(total);
}

int read_avx2(const void* from, long bytes) {
  const auto* next = static_cast<const char*>(from);
  __m256i sums[8];
  for (__m256i& sum : sums) sum = _mm256_setzero_si256();
  for (const char* end = next + bytes; next < end; next += 256) {
#pragma GCC unroll 8
    for (int j = 0; j < 8; ++j) {
      sums[j] = _mm256_or_si256(sums[j], _mm256_load_si256(reinterpret_cast<const __m256i*>(next + 32 * j)));
    }
  }
  for (int j = 1; j < 8; ++j) sums[0] = _mm256_or_si256(sums[0], sums[j]);
  return _mm256_cvtsi256_si32(sums[0]);
}

}  // namespace adze::kernels
