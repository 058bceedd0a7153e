#include "adze/engine/kernels/f32_avx512.h"

#include "adze/engine/kernels/decoded_f32/tile.h"

namespace adze::kernels {

namespace {

inline __m512i piece_at(const std::uint8_t* from) {
  return _mm512_loadu_si512(from);
}

struct F16 {
  static constexpr WeightCode code = WeightCode::F16;
  static constexpr int inputs = 2;
  __m512 decode(const std::uint8_t* from, int i) const {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + 32 * i)));
  }
};

struct Bf16 {
  static constexpr WeightCode code = WeightCode::Bf16;
  static constexpr int inputs = 2;
  __m512 decode(const std::uint8_t* from, int i) const {
    const __m512i piece = piece_at(from);
    return _mm512_castsi512_ps(i == 0 ? _mm512_slli_epi32(piece, 16)
                                      : _mm512_and_si512(piece, _mm512_set1_epi32(static_cast<int>(0xFFFF0000))));
  }
};

/// Sign, exponent and mantissa moved to their places, the bias added. What is below the normal numbers gets the
/// smallest exponent and its one taken off again: a product of subnormal floats would do too, thirty times slower.
struct F8E4M3 {
  static constexpr WeightCode code = WeightCode::F8E4M3;
  static constexpr int inputs = 4;
  __m512 decode(const std::uint8_t* from, int i) const {
    const __m512i high = _mm512_slli_epi32(piece_at(from), static_cast<unsigned>(24 - 8 * i));
    const __m512i sign = _mm512_and_si512(high, _mm512_set1_epi32(static_cast<int>(0x80000000)));
    const __m512i rest = _mm512_and_si512(_mm512_srli_epi32(high, 4), _mm512_set1_epi32(0x07F00000));
    const __mmask16 small = _mm512_cmplt_epi32_mask(rest, _mm512_set1_epi32(1 << 23));
    __m512i bits = _mm512_add_epi32(rest, _mm512_set1_epi32(120 << 23));
    bits = _mm512_mask_add_epi32(bits, small, bits, _mm512_set1_epi32(1 << 23));
    const __m512 all = _mm512_castsi512_ps(bits);
    const __m512 value = _mm512_mask_sub_ps(all, small, all, _mm512_set1_ps(0x1p-6f));
    return _mm512_castsi512_ps(_mm512_or_si512(sign, _mm512_castps_si512(value)));
  }
};

struct F8E5M2 {
  static constexpr WeightCode code = WeightCode::F8E5M2;
  static constexpr int inputs = 4;
  __m512 decode(const std::uint8_t* from, int i) const {
    const __m512i piece = piece_at(from);
    const __m512i high = i == 3   ? _mm512_srli_epi32(piece, 16)
                         : i == 2 ? _mm512_srli_epi32(piece, 8)
                         : i == 1 ? piece
                                  : _mm512_slli_epi32(piece, 8);
    return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_and_si512(high, _mm512_set1_epi32(0xFF00))));
  }
};

struct Table4 {
  static constexpr WeightCode code = WeightCode::Table4;
  static constexpr int inputs = 8;
  __m512 table;
  __m512 decode(const std::uint8_t* from, int i) const {
    const __m512i index = _mm512_srli_epi32(piece_at(from), static_cast<unsigned>(4 * i));
    return _mm512_permutexvar_ps(index, table);  // looks at the lowest 4 bits
  }
};

struct Table8 {
  static constexpr WeightCode code = WeightCode::Table8;
  static constexpr int inputs = 4;
  const float* table;
  __m512 decode(const std::uint8_t* from, int i) const {
    const __m512i index =
        _mm512_and_si512(_mm512_srli_epi32(piece_at(from), static_cast<unsigned>(8 * i)), _mm512_set1_epi32(255));
    return _mm512_i32gather_ps(index, table, 4);
  }
};

}  // namespace

void decoded_f32_avx512vnni(const DecodedF32Call& call) {
  switch (call.code) {
    case WeightCode::F16:
      return run_decoded<F32, F16, 3, 4>(call, F16{});
    case WeightCode::Bf16:
      return run_decoded<F32, Bf16, 3, 4>(call, Bf16{});
    case WeightCode::F8E4M3:
      return run_decoded<F32, F8E4M3, 3, 4>(call, F8E4M3{});
    case WeightCode::F8E5M2:
      return run_decoded<F32, F8E5M2, 3, 4>(call, F8E5M2{});
    case WeightCode::Table4:
      return run_decoded<F32, Table4, 3, 4>(call, Table4{_mm512_loadu_ps(call.table)});
    case WeightCode::Table8:
      return run_decoded<F32, Table8, 3, 4>(call, Table8{call.table});
  }
}

}  // namespace adze::kernels
