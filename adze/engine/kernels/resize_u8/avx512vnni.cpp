#include <immintrin.h>

#include "adze/engine/kernels/resize_u8/loops.h"

namespace adze::kernels {

void resize_u8_avx512vnni_down(const ResizeDownCall& call) {
  const __m256i flip = _mm256_set1_epi32(call.flip), offset = _mm256_set1_epi32(call.flip != 0 ? 128 : 0);
  std::int64_t i = 0;
  for (; i + 8 <= call.count; i += 8) {
    __m512d sum = _mm512_setzero_pd();
    for (std::int64_t t = 0; t < call.term_count; ++t) {
      const auto* from = reinterpret_cast<const __m128i*>(call.x + call.terms[t].source + i);
      const __m256i codes = _mm256_xor_si256(_mm256_cvtepu8_epi32(_mm_loadl_epi64(from)), flip);
      const __m512d numbers = _mm512_cvtepi32_pd(_mm256_sub_epi32(codes, offset));
      sum = _mm512_add_pd(sum, _mm512_mul_pd(_mm512_set1_pd(call.terms[t].weight), numbers));
    }
    _mm512_storeu_pd(call.line + i, sum);
  }
  down_one_by_one(call, i);
}

namespace {

/// Pixels of one channel; returns how many it did.
std::int64_t across_lines(const ResizeAcrossCall& call) {
  const __m256i flip = _mm256_set1_epi32(call.flip), offset = _mm256_set1_epi32(call.flip != 0 ? 128 : 0);
  const __m256i low = _mm256_set1_epi32(call.low), high = _mm256_set1_epi32(call.high);
  std::int64_t p = 0;
  for (; p + 8 <= call.pixels; p += 8) {
    __m512d sum = _mm512_setzero_pd();
    for (std::int64_t t = 0; t < call.lines.count; ++t) {
      const std::int64_t at = t * call.pixels + p;
      const __m256i source = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(call.lines.source + at));
      const __m512d numbers = _mm512_i32gather_pd(source, call.line, 8);
      sum = _mm512_add_pd(sum, _mm512_mul_pd(_mm512_loadu_pd(call.lines.weight + at), numbers));
    }
    const __m256i numbers = _mm256_min_epi32(_mm256_max_epi32(_mm512_cvtpd_epi32(sum), low), high);
    const __m256i codes = _mm256_xor_si256(_mm256_add_epi32(numbers, offset), flip);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(call.y + p), _mm256_cvtepi32_epi8(codes));
  }
  return p;
}

}  // namespace

void resize_u8_avx512vnni_across(const ResizeAcrossCall& call) {
  const std::int64_t done = call.lines.count > 0 ? across_lines(call) : 0;
  const __m256i flip = _mm256_set1_epi32(call.flip), offset = _mm256_set1_epi32(call.flip != 0 ? 128 : 0);
  const __m256i low = _mm256_set1_epi32(call.low), high = _mm256_set1_epi32(call.high);
  for (std::int64_t p = done; p < call.pixels; ++p) {
    std::int64_t c = 0;
    for (; c + 8 <= call.channels; c += 8) {
      __m512d sum = _mm512_setzero_pd();
      for (std::int64_t t = call.starts[p]; t < call.starts[p + 1]; ++t) {
        const __m512d weight = _mm512_set1_pd(call.terms[t].weight);
        sum = _mm512_add_pd(sum, _mm512_mul_pd(weight, _mm512_loadu_pd(call.line + call.terms[t].source + c)));
      }
      const __m256i numbers = _mm256_min_epi32(_mm256_max_epi32(_mm512_cvtpd_epi32(sum), low), high);
      const __m256i codes = _mm256_xor_si256(_mm256_add_epi32(numbers, offset), flip);
      _mm_storel_epi64(reinterpret_cast<__m128i*>(call.y + p * call.channels + c), _mm256_cvtepi32_epi8(codes));
    }
    across_one_by_one(call, p, c);
  }
}

}  // namespace adze::kernels
