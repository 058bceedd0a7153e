#include <immintrin.h>

#include "adze/engine/kernels/pack_s8/pack_s8_call.h"

namespace adze::kernels {

void pack_s8_ref(const PackS8Call& call);

namespace {

inline __m128i load(const std::uint8_t* x) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(x));
}

/// The first bytes of 16; the others become 0 by the exclusive or with flip.
inline __m128i load_first(const std::uint8_t* x, std::int64_t count, std::uint8_t flip) {
  if (count >= 16) return load(x);
  std::uint8_t bytes[16];
  for (std::int64_t i = 0; i < 16; ++i) bytes[i] = i < count ? x[i] : flip;
  return load(bytes);
}

/// acc += the sums of each four signed bytes.
inline __m128i add_quads(__m128i acc, __m128i bytes) {
  return _mm_add_epi32(acc, _mm_madd_epi16(_mm_maddubs_epi16(_mm_set1_epi8(1), bytes), _mm_set1_epi16(1)));
}

inline void store_terms(const PackS8Call& call, std::int32_t* terms, __m128i sums) {
  const __m128i scaled = _mm_mullo_epi32(sums, _mm_set1_epi32(call.factor));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(terms), _mm_add_epi32(scaled, _mm_set1_epi32(call.start)));
}

/// One block of columns that lie side by side: rows of 16 bytes are interleaved by fours.
void pack_across(const PackS8Call& call, std::int64_t column, std::int8_t* to) {
  const std::uint8_t* x = call.x + column;
  const std::int64_t count = call.columns - column;
  const __m128i flip = _mm_set1_epi8(static_cast<char>(call.flip));
  __m128i sums[4] = {};
  for (std::int64_t k = 0; k < call.depth; k += 4, to += 64) {
    __m128i row[4];
    for (std::int64_t i = 0; i < 4; ++i) {
      row[i] = k + i >= call.depth ? _mm_setzero_si128()
                                   : _mm_xor_si128(load_first(x + (k + i) * call.depth_step, count, call.flip), flip);
    }
    const __m128i low[2] = {_mm_unpacklo_epi8(row[0], row[1]), _mm_unpacklo_epi8(row[2], row[3])};
    const __m128i high[2] = {_mm_unpackhi_epi8(row[0], row[1]), _mm_unpackhi_epi8(row[2], row[3])};
    const __m128i quads[4] = {_mm_unpacklo_epi16(low[0], low[1]), _mm_unpackhi_epi16(low[0], low[1]),
                              _mm_unpacklo_epi16(high[0], high[1]), _mm_unpackhi_epi16(high[0], high[1])};
    for (int i = 0; i < 4; ++i) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to) + i, quads[i]);
      sums[i] = add_quads(sums[i], quads[i]);
    }
  }
  for (int i = 0; i < 4; ++i) store_terms(call, call.terms + column + 4 * i, sums[i]);
}

/// One block of columns whose depth lies side by side: quads of four columns change places.
void pack_along(const PackS8Call& call, std::int64_t column, std::int8_t* to) {
  const __m128i flip = _mm_set1_epi8(static_cast<char>(call.flip));
  const std::int64_t quads = (call.depth + 3) / 4;
  for (std::int64_t four = 0; four < 16; four += 4) {
    const std::uint8_t* x[4];
    for (std::int64_t i = 0; i < 4; ++i) {
      const std::int64_t j = column + four + i;
      x[i] = call.x + (j < call.columns ? j : column) * call.column_step;
    }
    __m128i sums = _mm_setzero_si128();
    for (std::int64_t q = 0; q < quads; q += 4) {
      __m128i c[4];
      for (int i = 0; i < 4; ++i) {
        c[i] = _mm_xor_si128(load_first(x[i] + 4 * q, call.depth - 4 * q, call.flip), flip);
      }
      const __m128i low[2] = {_mm_unpacklo_epi32(c[0], c[1]), _mm_unpacklo_epi32(c[2], c[3])};
      const __m128i high[2] = {_mm_unpackhi_epi32(c[0], c[1]), _mm_unpackhi_epi32(c[2], c[3])};
      const __m128i turned[4] = {_mm_unpacklo_epi64(low[0], low[1]), _mm_unpackhi_epi64(low[0], low[1]),
                                 _mm_unpacklo_epi64(high[0], high[1]), _mm_unpackhi_epi64(high[0], high[1])};
      for (std::int64_t i = 0; i < 4 && q + i < quads; ++i) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to + (q + i) * 64 + 4 * four), turned[i]);
        sums = add_quads(sums, turned[i]);
      }
    }
    store_terms(call, call.terms + column + four, sums);
  }
}

}  // namespace

void pack_s8_avx2(const PackS8Call& call) {
  if (call.column_step != 1 && call.depth_step != 1) return pack_s8_ref(call);
  const std::int64_t block_bytes = (call.depth + 3) / 4 * 64;
  for (std::int64_t column = 0; column < call.columns; column += 16) {
    std::int8_t* to = call.packed + column / 16 * block_bytes;
    if (call.column_step == 1) {
      pack_across(call, column, to);
    } else {
      pack_along(call, column, to);
    }
  }
}

void pack_s8_avx2_row_terms(const RowTermsCall& call) {
  for (std::int64_t r = 0; r < call.rows; ++r) {
    const std::uint8_t* x = call.x + r * call.row_step;
    __m128i sums = _mm_setzero_si128();
    for (std::int64_t k = 0; k < call.depth; k += 16) {
      sums = _mm_add_epi64(sums, _mm_sad_epu8(load_first(x + k, call.depth - k, 0), _mm_setzero_si128()));
    }
    const auto sum = static_cast<std::uint32_t>(_mm_cvtsi128_si64(sums) + _mm_extract_epi64(sums, 1));
    call.terms[r] = static_cast<std::int32_t>(static_cast<std::uint32_t>(call.factor) * sum);
  }
}

}  // namespace adze::kernels
