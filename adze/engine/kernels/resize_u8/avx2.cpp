#include <immintrin.h>

#include <cstring>

#include "adze/engine/kernels/resize_u8/loops.h"

namespace adze::kernels {

void resize_u8_avx2_down(const ResizeDownCall& call) {
  const __m128i flip = _mm_set1_epi32(call.flip), offset = _mm_set1_epi32(call.flip != 0 ? 128 : 0);
  std::int64_t i = 0;
  for (; i + 4 <= call.count; i += 4) {
    __m256d sum = _mm256_setzero_pd();
    for (std::int64_t t = 0; t < call.term_count; ++t) {
      int four;
      std::memcpy(&four, call.x + call.terms[t].source + i, sizeof four);
      const __m128i codes = _mm_xor_si128(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(four)), flip);
      const __m256d numbers = _mm256_cvtepi32_pd(_mm_sub_epi32(codes, offset));
      sum = _mm256_add_pd(sum, _mm256_mul_pd(_mm256_set1_pd(call.terms[t].weight), numbers));
    }
    _mm256_storeu_pd(call.line + i, sum);
  }
  down_one_by_one(call, i);
}

namespace {

/// The bytes of four numbers.
inline void store_four(const ResizeAcrossCall& call, __m256d sums, std::uint8_t* y) {
  const __m128i low = _mm_set1_epi32(call.low), high = _mm_set1_epi32(call.high);
  const __m128i flip = _mm_set1_epi32(call.flip), offset = _mm_set1_epi32(call.flip != 0 ? 128 : 0);
  const __m128i bytes = _mm_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
  const __m128i numbers = _mm_min_epi32(_mm_max_epi32(_mm256_cvtpd_epi32(sums), low), high);
  const __m128i codes = _mm_xor_si128(_mm_add_epi32(numbers, offset), flip);
  const int four = _mm_cvtsi128_si32(_mm_shuffle_epi8(codes, bytes));
  std::memcpy(y, &four, sizeof four);
}

/// Pixels of one channel; returns how many it did.
std::int64_t across_lines(const ResizeAcrossCall& call) {
  const __m256d all = _mm256_castsi256_pd(_mm256_set1_epi32(-1));
  std::int64_t p = 0;
  for (; p + 4 <= call.pixels; p += 4) {
    __m256d sum = _mm256_setzero_pd();
    for (std::int64_t t = 0; t < call.lines.count; ++t) {
      const std::int64_t at = t * call.pixels + p;
      const __m128i source = _mm_loadu_si128(reinterpret_cast<const __m128i*>(call.lines.source + at));
      const __m256d numbers = _mm256_mask_i32gather_pd(_mm256_setzero_pd(), call.line, source, all, 8);
      sum = _mm256_add_pd(sum, _mm256_mul_pd(_mm256_loadu_pd(call.lines.weight + at), numbers));
    }
    store_four(call, sum, call.y + p);
  }
  return p;
}

}  // namespace

void resize_u8_avx2_across(const ResizeAcrossCall& call) {
  const std::int64_t done = call.lines.count > 0 ? across_lines(call) : 0;
  for (std::int64_t p = done; p < call.pixels; ++p) {
    std::int64_t c = 0;
    for (; c + 4 <= call.channels; c += 4) {
      __m256d sum = _mm256_setzero_pd();
      for (std::int64_t t = call.starts[p]; t < call.starts[p + 1]; ++t) {
        const __m256d weight = _mm256_set1_pd(call.terms[t].weight);
        sum = _mm256_add_pd(sum, _mm256_mul_pd(weight, _mm256_loadu_pd(call.line + call.terms[t].source + c)));
      }
      store_four(call, sum, call.y + p * call.channels + c);
    }
    across_one_by_one(call, p, c);
  }
}

}  // namespace adze::kernels
