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

/// 256 bytes in registers.
struct ByteTable {
  __m512i part[4];

  explicit ByteTable(const std::uint8_t* bytes) {
    for (int i = 0; i < 4; ++i) part[i] = _mm512_loadu_si512(bytes + 64 * i);
  }
  [[gnu::always_inline]] __m512i look_up(__m512i at, __mmask64 is_far) const {
    const __m512i near = _mm512_permutex2var_epi8(part[0], at, part[1]);
    return _mm512_mask_blend_epi8(is_far, near, _mm512_permutex2var_epi8(part[2], at, part[3]));
  }
};

/// The exponentials' bytes, each order of magnitude by itself: 64 of them are looked up at once, and their sum is
/// exact.
struct Planes {
  alignas(64) std::uint8_t bytes[4][256];

  explicit Planes(const std::uint32_t* exponentials) {
    for (int i = 0; i < 256; i += 16) {
      const __m512i e = _mm512_loadu_si512(exponentials + i);
      for (unsigned plane = 0; plane < 4; ++plane) {
        _mm_store_si128(reinterpret_cast<__m128i*>(bytes[plane] + i),
                        _mm512_cvtepi32_epi8(_mm512_srli_epi32(e, 8 * plane)));
      }
    }
  }
};

std::uint64_t sum_of(const SoftmaxU8Call& call, const Planes& planes, const std::uint8_t* x, __m512i flip,
                     int largest) {
  const ByteTable tables[4] = {ByteTable(planes.bytes[0]), ByteTable(planes.bytes[1]), ByteTable(planes.bytes[2]),
                               ByteTable(planes.bytes[3])};
  const __m512i top = _mm512_set1_epi8(static_cast<char>(largest)), zero = _mm512_setzero_si512();
  __m512i sums[4] = {zero, zero, zero, zero};
  for (std::int64_t i = 0; i < call.length; i += 64) {
    const __mmask64 mask = inside(call.length - i);
    const __m512i d = _mm512_sub_epi8(top, _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, x + i), flip));
    const __mmask64 is_far = _mm512_movepi8_mask(d);
#pragma GCC unroll 4
    for (int plane = 0; plane < 4; ++plane) {
      const __m512i bytes = _mm512_maskz_mov_epi8(mask, tables[plane].look_up(d, is_far));
      sums[plane] = _mm512_add_epi64(sums[plane], _mm512_sad_epu8(bytes, zero));
    }
  }
  const __m512i low = _mm512_add_epi64(sums[0], _mm512_slli_epi64(sums[1], 8));
  const __m512i high = _mm512_add_epi64(_mm512_slli_epi64(sums[2], 16), _mm512_slli_epi64(sums[3], 24));
  return static_cast<std::uint64_t>(_mm512_reduce_add_epi64(_mm512_add_epi64(low, high)));
}

/// results[d … d + 15] as defined, in double precision.
[[gnu::noinline]] void fill_exactly(const SoftmaxU8Call& call, std::uint64_t sum, int d, std::uint8_t* results) {
  const __m512d total = _mm512_set1_pd(static_cast<double>(sum)), scale = _mm512_set1_pd(call.scale);
  const __m512d zero = _mm512_set1_pd(call.zero_point), low = _mm512_set1_pd(call.low);
  const __m512d high = _mm512_set1_pd(call.high);
  for (const int last = d + 16; d < last; d += 8) {
    const __m512d e = _mm512_cvtepu32_pd(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(call.exponentials + d)));
    const __m512d share = _mm512_div_pd(_mm512_div_pd(e, total), scale);
    const __m512d code = _mm512_add_pd(_mm512_roundscale_pd(share, _MM_FROUND_TO_NEAREST_INT), zero);
    const __m256i whole = _mm512_cvttpd_epi32(_mm512_min_pd(_mm512_max_pd(code, low), high));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(results + d), _mm256_cvtepi32_epi8(whole));
  }
}

/// results[d] for all differences up to last; whole vectors are written. Products of floats with the reciprocal are off
/// by less than 2^-21 of themselves, so they round as the quotients do unless they come as near to the middle between
/// two integers; from 1024 on all give the highest code.
void fill_results(const SoftmaxU8Call& call, std::uint64_t sum, int last, std::uint8_t* results) {
  const __m512 factor = _mm512_set1_ps(static_cast<float>(1.0 / (static_cast<double>(sum) * call.scale)));
  const __m512 most = _mm512_set1_ps(1024.0f), half = _mm512_set1_ps(0.5f), near = _mm512_set1_ps(0x1p-21f);
  const __m512i zero_point = _mm512_set1_epi32(call.zero_point), low = _mm512_set1_epi32(call.low);
  const __m512i high = _mm512_set1_epi32(call.high);
  for (int d = 0; d <= last; d += 16) {
    const __m512 e = _mm512_cvtepu32_ps(_mm512_loadu_si512(call.exponentials + d));
    const __m512 share = _mm512_min_ps(_mm512_mul_ps(e, factor), most);
    const __m512 whole = _mm512_roundscale_ps(share, _MM_FROUND_TO_NEAREST_INT);
    const __m512 to_middle = _mm512_sub_ps(half, _mm512_abs_ps(_mm512_sub_ps(share, whole)));
    if (_mm512_cmp_ps_mask(to_middle, _mm512_mul_ps(share, near), _CMP_LE_OQ) != 0) {
      fill_exactly(call, sum, d, results);
      continue;
    }
    const __m512i code = _mm512_add_epi32(_mm512_cvtps_epi32(whole), zero_point);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(results + d),
                     _mm512_cvtepi32_epi8(_mm512_min_epi32(_mm512_max_epi32(code, low), high)));
  }
}

void softmax_row(const SoftmaxU8Call& call, const Planes& planes, const std::uint8_t* x, std::uint8_t* y) {
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(call.flip));
  const Extent extent = extent_of(x, call.length, flip);
  alignas(64) std::uint8_t results[256] = {};
  fill_results(call, sum_of(call, planes, x, flip, extent.largest), extent.largest - extent.smallest, results);
  const ByteTable table(results);
  const __m512i top = _mm512_set1_epi8(static_cast<char>(extent.largest));
  for (std::int64_t i = 0; i < call.length; i += 64) {
    const __mmask64 mask = inside(call.length - i);
    const __m512i d = _mm512_sub_epi8(top, _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, x + i), flip));
    _mm512_mask_storeu_epi8(y + i, mask, table.look_up(d, _mm512_movepi8_mask(d)));
  }
}

}  // namespace

void softmax_u8_avx512vbmi(const SoftmaxU8Call& call) {
  const Planes planes(call.exponentials);
  for (std::int64_t r = 0; r < call.rows; ++r) {
    softmax_row(call, planes, call.x + r * call.length, call.y + r * call.length);
  }
}

}  // namespace adze::kernels
