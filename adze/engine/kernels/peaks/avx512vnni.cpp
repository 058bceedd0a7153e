#include <immintrin.h>

#include "adze/engine/kernels/peaks/peaks_call.h"

namespace adze::kernels {

int peak_f32_avx512vnni() {
  constexpr int chains = 16;
  __m512 sums[chains];
  for (__m512& sum : sums) sum = _mm512_setzero_ps();
  __m512 x = _mm512_set1_ps(1.0f);
  for (int round = 0; round < peak_rounds; ++round) {
    asm volatile("" : "+v"(x));
#pragma GCC unroll 16
    for (__m512& sum : sums) sum = _mm512_fmadd_ps(x, x, sum);
  }
  __m512 total = _mm512_setzero_ps();
  for (const __m512 sum : sums) total = _mm512_add_ps(total, sum);
  return static_cast<int>(_mm512_cvtss_f32(total));
}

int peak_s8_avx512vnni() {
  constexpr int chains = 16;
  __m512i sums[chains];
  for (__m512i& sum : sums) sum = _mm512_setzero_si512();
  __m512i x = _mm512_set1_epi8(1);
  for (int round = 0; round < peak_rounds; ++round) {
    asm volatile("" : "+v"(x));
#pragma GCC unroll 16
    for (__m512i& sum : sums) sum = _mm512_dpbusd_epi32(sum, x, x);
  }
  __m512i total = _mm512_setzero_si512();
  for (const __m512i sum : sums) total = _mm512_add_epi32(total, sum);
  return _mm512_cvtsi512_si32(total);
}

int read_avx512vnni(const void* from, long bytes) {
  const auto* next = static_cast<const char*>(from);
  __m512i sums[4];
  for (__m512i& sum : sums) sum = _mm512_setzero_si512();
  for (const char* end = next + bytes; next < end; next += 256) {
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) sums[j] = _mm512_or_si512(sums[j], _mm512_load_si512(next + 64 * j));
  }
  for (int j = 1; j < 4; ++j) sums[0] = _mm512_or_si512(sums[0], sums[j]);
  return _mm512_cvtsi512_si32(sums[0]);
}

}  // namespace adze::kernels
