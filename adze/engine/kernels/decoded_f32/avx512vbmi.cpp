#include "adze/engine/kernels/f32_avx512.h"

#include "adze/engine/kernels/decoded_f32/tile.h"

namespace adze::kernels {

void decoded_f32_avx512vnni(const DecodedF32Call& call);

namespace {

/// A table of 256 floats as its four bytes: planes[b][q] has byte b of the entries from 64 q on. A byte of all 64 codes
/// is looked up by four permutations, of which masks choose by the codes' upper bits; then bytes are put together to
/// floats.
struct Table8 {
  static constexpr WeightCode code = WeightCode::Table8;
  static constexpr int inputs = 4;
  __m512i planes[4][4];

  /// Byte b of what the codes stand for, turned left by b bytes in each column: input i's lies at byte (i + b) % 4.
  template <int b>
  [[gnu::always_inline]] __m512i turned_bytes(__m512i codes) const {
    const __mmask64 upper = _mm512_movepi8_mask(codes), next = _mm512_movepi8_mask(_mm512_add_epi8(codes, codes));
    __m512i result = _mm512_permutexvar_epi8(codes, planes[b][0]);
    result = _mm512_mask_permutexvar_epi8(result, _kandn_mask64(upper, next), codes, planes[b][1]);
    result = _mm512_mask_permutexvar_epi8(result, _kandn_mask64(next, upper), codes, planes[b][2]);
    result = _mm512_mask_permutexvar_epi8(result, _kand_mask64(upper, next), codes, planes[b][3]);
    return b == 0 ? result : _mm512_rol_epi32(result, 8 * b);
  }
  /// Of input i: byte p from the bytes turned by (p - i) % 4: odd ones from the next, 2 and 3 from two beyond.
  template <int i>
  [[gnu::always_inline]] __m512 floats(__m512i codes) const {
    constexpr __mmask64 odd = 0xAAAAAAAAAAAAAAAA, later = 0xCCCCCCCCCCCCCCCC;
    constexpr int a = (4 - i) % 4;
    const __m512i first = _mm512_mask_blend_epi8(odd, turned_bytes<a>(codes), turned_bytes<(a + 1) % 4>(codes));
    const __m512i last =
        _mm512_mask_blend_epi8(odd, turned_bytes<(a + 2) % 4>(codes), turned_bytes<(a + 3) % 4>(codes));
    return _mm512_castsi512_ps(_mm512_ror_epi32(_mm512_mask_blend_epi8(later, first, last), 8 * i));
  }
  [[gnu::always_inline]] __m512 decode(const std::uint8_t* from, int i) const {
    const __m512i codes = _mm512_loadu_si512(from);
    switch (i) {
      case 0:
        return floats<0>(codes);
      case 1:
        return floats<1>(codes);
      case 2:
        return floats<2>(codes);
      default:
        return floats<3>(codes);
    }
  }
};

Table8 table_of(const float* table) {
  Table8 result;
  alignas(64) std::uint8_t bytes[256];
  for (int b = 0; b < 4; ++b) {
    for (int entry = 0; entry < 256; entry += 16) {
      const __m512i floats = _mm512_loadu_si512(table + entry);
      const __m128i some = _mm512_cvtepi32_epi8(_mm512_srli_epi32(floats, static_cast<unsigned>(8 * b)));
      _mm_store_si128(reinterpret_cast<__m128i*>(bytes + entry), some);
    }
    for (int q = 0; q < 4; ++q) result.planes[b][q] = _mm512_load_si512(bytes + q * 64);
  }
  return result;
}

}  // namespace

void decoded_f32_avx512vbmi(const DecodedF32Call& call) {
  if (call.code != WeightCode::Table8) return decoded_f32_avx512vnni(call);
  run_decoded<F32, Table8, 3, 4>(call, table_of(call.table));
}

}  // namespace adze::kernels
