#include "adze/engine/kernels/f32_avx2.h"

#include "adze/engine/kernels/decoded_f32/tile.h"

namespace adze::kernels {

namespace {

inline __m256i piece_at(const std::uint8_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

/// The low 16 bits of each lane, as f16.
inline __m256 from_halves(__m256i lanes) {
  const __m256i low = _mm256_and_si256(lanes, _mm256_set1_epi32(0xFFFF));
  const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(low, low), 0x08);
  return _mm256_cvtph_ps(_mm256_castsi256_si128(packed));
}

struct F16 {
  static constexpr WeightCode code = WeightCode::F16;
  static constexpr int inputs = 2;
  __m256 decode(const std::uint8_t* from, int i) const {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + 32 * i)));
  }
};

struct Bf16 {
  static constexpr WeightCode code = WeightCode::Bf16;
  static constexpr int inputs = 2;
  __m256 decode(const std::uint8_t* from, int i) const {
    const __m256i piece = piece_at(from);
    return _mm256_castsi256_ps(i == 0 ? _mm256_slli_epi32(piece, 16)
                                      : _mm256_and_si256(piece, _mm256_set1_epi32(static_cast<int>(0xFFFF0000))));
  }
};

/// As in avx512vnni.cpp.
struct F8E4M3 {
  static constexpr WeightCode code = WeightCode::F8E4M3;
  static constexpr int inputs = 4;
  __m256 decode(const std::uint8_t* from, int i) const {
    const __m256i high = _mm256_slli_epi32(piece_at(from), 24 - 8 * i);
    const __m256i sign = _mm256_and_si256(high, _mm256_set1_epi32(static_cast<int>(0x80000000)));
    const __m256i rest = _mm256_and_si256(_mm256_srli_epi32(high, 4), _mm256_set1_epi32(0x07F00000));
    const __m256i small = _mm256_cmpgt_epi32(_mm256_set1_epi32(1 << 23), rest);
    const __m256i one = _mm256_and_si256(small, _mm256_set1_epi32(1 << 23));
    const __m256i bits = _mm256_add_epi32(_mm256_add_epi32(rest, _mm256_set1_epi32(120 << 23)), one);
    const __m256 off = _mm256_and_ps(_mm256_castsi256_ps(small), _mm256_set1_ps(0x1p-6f));
    const __m256 value = _mm256_sub_ps(_mm256_castsi256_ps(bits), off);
    return _mm256_or_ps(value, _mm256_castsi256_ps(sign));
  }
};

struct F8E5M2 {
  static constexpr WeightCode code = WeightCode::F8E5M2;
  static constexpr int inputs = 4;
  __m256 decode(const std::uint8_t* from, int i) const {
    const __m256i high = _mm256_srli_epi32(_mm256_slli_epi32(piece_at(from), 24 - 8 * i), 16);
    return from_halves(_mm256_and_si256(high, _mm256_set1_epi32(0xFF00)));
  }
};

struct Table4 {
  static constexpr WeightCode code = WeightCode::Table4;
  static constexpr int inputs = 8;
  __m256 low, high;
  __m256 decode(const std::uint8_t* from, int i) const {
    const __m256i index = _mm256_srli_epi32(piece_at(from), 4 * i);
    const __m256 upper = _mm256_castsi256_ps(_mm256_slli_epi32(index, 28));  // the sign: the index's fourth bit
    return _mm256_blendv_ps(_mm256_permutevar8x32_ps(low, index), _mm256_permutevar8x32_ps(high, index), upper);
  }
};

struct Table8 {
  static constexpr WeightCode code = WeightCode::Table8;
  static constexpr int inputs = 4;
  const float* table;
  __m256 decode(const std::uint8_t* from, int i) const {
    const __m256i index = _mm256_and_si256(_mm256_srli_epi32(piece_at(from), 8 * i), _mm256_set1_epi32(255));
    return _mm256_i32gather_ps(table, index, 4);
  }
};

}  // namespace

void decoded_f32_avx2(const DecodedF32Call& call) {
  switch (call.code) {
    case WeightCode::F16:
      return run_decoded<F32, F16, 2, 2>(call, F16{});
    case WeightCode::Bf16:
      return run_decoded<F32, Bf16, 2, 2>(call, Bf16{});
    case WeightCode::F8E4M3:
      return run_decoded<F32, F8E4M3, 2, 2>(call, F8E4M3{});
    case WeightCode::F8E5M2:
      return run_decoded<F32, F8E5M2, 2, 2>(call, F8E5M2{});
    case WeightCode::Table4:
      return run_decoded<F32, Table4, 2, 2>(call, Table4{_mm256_loadu_ps(call.table), _mm256_loadu_ps(call.table + 8)});
    case WeightCode::Table8:
      return run_decoded<F32, Table8, 2, 2>(call, Table8{call.table});
  }
}

}  // namespace adze::kernels
