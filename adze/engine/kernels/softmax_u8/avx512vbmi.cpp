#include <immintrin.h>

#include "adze/engine/kernels/softmax_u8/softmax_u8_call.h"

namespace adze::kernels {

namespace {

struct Extent {
  int largest, smallest;
};

inline __mmask64 inside(std::int64_t count) {
  return count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
}

inline int largest_byte(__m512i bytes) {
  const __m256i half = _mm256_max_epu8(_mm512_castsi512_si256(bytes), _mm512_extracti64x4_epi64(bytes, 1));
  const __m128i quarter = _mm_max_epu8(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
  // minpos finds the smallest of eight 16-bit numbers: of the complement of both bytes of each pair.
  const __m128i inverse = _mm_xor_si128(quarter, _mm_set1_epi8(-1));
  const __m128i pairs = _mm_min_epu8(inverse, _mm_srli_epi16(inverse, 8));
  return 255 - (_mm_cvtsi128_si32(_mm_minpos_epu16(_mm_and_si128(pairs, _mm_set1_epi16(255)))) & 255);
}

Extent extent_of(const std::uint8_t* x, std::int64_t length, __m512i flip) {
  __m512i largest = _mm512_setzero_si512(), smallest = _mm512_set1_epi8(-1);
  for (std::int64_t i = 0; i < length; i += 64) {
    const __mmask64 mask = inside(length - i);
    const __m512i codes = _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, x + i), flip);
    largest = _mm512_mask_max_epu8(largest, mask, largest, codes);
    smallest = _mm512_mask_min_epu8(smallest, mask, smallest, codes);
  }
  return {largest_byte(largest), 255 - largest_byte(_mm512_xor_si512(smallest, _mm512_set1_epi8(-1)))};
}

/// The sum of the exponentials of a row; differences are written for later.
std::uint64_t sum_of(const SoftmaxU8Call& call, const std::uint8_t* x, __m512i flip, int largest) {
  const __m512i top = _mm512_set1_epi32(largest), turn = _mm512_and_si512(flip, _mm512_set1_epi32(255));
  __m512i even = _mm512_setzero_si512(), odd = even;
  for (std::int64_t i = 0; i < call.length; i += 16) {
    const auto mask = static_cast<__mmask16>(inside(call.length - i));
    const __m512i codes = _mm512_xor_si512(_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(mask, x + i)), turn);
    const __m512i e =
        _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), mask, _mm512_sub_epi32(top, codes), call.exponentials, 4);
    even = _mm512_add_epi64(even, _mm512_and_si512(e, _mm512_set1_epi64(0xFFFFFFFF)));
    odd = _mm512_add_epi64(odd, _mm512_srli_epi64(e, 32));
  }
  return static_cast<std::uint64_t>(_mm512_reduce_add_epi64(_mm512_add_epi64(even, odd)));
}

/// results[d] for all differences up to last; whole vectors are written.
void fill_results(const SoftmaxU8Call& call, std::uint64_t sum, int last, std::uint8_t* results) {
  const __m512d total = _mm512_set1_pd(static_cast<double>(sum)), scale = _mm512_set1_pd(call.scale);
  const __m512d zero = _mm512_set1_pd(call.zero_point), low = _mm512_set1_pd(call.low);
  const __m512d high = _mm512_set1_pd(call.high);
  for (int d = 0; d <= last; d += 8) {
    const __m512d e = _mm512_cvtepu32_pd(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(call.exponentials + d)));
    const __m512d share = _mm512_div_pd(_mm512_div_pd(e, total), scale);
    const __m512d code = _mm512_add_pd(_mm512_roundscale_pd(share, _MM_FROUND_TO_NEAREST_INT), zero);
    const __m256i whole = _mm512_cvttpd_epi32(_mm512_min_pd(_mm512_max_pd(code, low), high));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(results + d), _mm256_cvtepi32_epi8(whole));
  }
}

void softmax_row(const SoftmaxU8Call& call, const std::uint8_t* x, std::uint8_t* y) {
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(call.flip));
  const Extent extent = extent_of(x, call.length, flip);
  alignas(64) std::uint8_t results[256] = {};
  fill_results(call, sum_of(call, x, flip, extent.largest), extent.largest - extent.smallest, results);
  const __m512i table[4] = {_mm512_load_si512(results), _mm512_load_si512(results + 64),
                            _mm512_load_si512(results + 128), _mm512_load_si512(results + 192)};
  const __m512i top = _mm512_set1_epi8(static_cast<char>(extent.largest));
  for (std::int64_t i = 0; i < call.length; i += 64) {
    const __mmask64 mask = inside(call.length - i);
    const __m512i d = _mm512_sub_epi8(top, _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, x + i), flip));
    const __m512i near = _mm512_permutex2var_epi8(table[0], d, table[1]);
    const __m512i far = _mm512_permutex2var_epi8(table[2], d, table[3]);
    _mm512_mask_storeu_epi8(y + i, mask, _mm512_mask_blend_epi8(_mm512_movepi8_mask(d), near, far));
  }
}

}  // namespace

void softmax_u8_avx512vbmi(const SoftmaxU8Call& call) {
  for (std::int64_t r = 0; r < call.rows; ++r) softmax_row(call, call.x + r * call.length, call.y + r * call.length);
}

}  // namespace adze::kernels
