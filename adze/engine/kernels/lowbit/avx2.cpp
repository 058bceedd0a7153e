#include <immintrin.h>

#include "adze/engine/kernels/lowbit/lowbit_call.h"
#include "adze/engine/kernels/lowbit/split.h"

namespace adze::kernels {

namespace {

inline std::int32_t sum_of(__m256i v) {
  __m128i half = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4E));
  return _mm_cvtsi128_si32(_mm_add_epi32(half, _mm_shuffle_epi32(half, 0xB1)));
}

struct Vectors {
  static std::uint32_t largest(const float* x, std::int64_t count) {
    const __m256i magnitude = _mm256_set1_epi32(0x7FFFFFFF);
    __m256i most = _mm256_setzero_si256();
    std::int64_t i = 0;
    for (; i + 8 <= count; i += 8) {
      const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + i));
      most = _mm256_max_epu32(most, _mm256_and_si256(bits, magnitude));
    }
    alignas(32) std::uint32_t lanes[8];
    _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), most);
    std::uint32_t result = 0;
    for (const std::uint32_t lane : lanes) result = lane > result ? lane : result;
    for (; i < count; ++i) {
      std::uint32_t bits;
      __builtin_memcpy(&bits, x + i, 4);
      bits &= 0x7FFFFFFF;
      result = bits > result ? bits : result;
    }
    return result;
  }
  static void digits(const float* x, std::int64_t count, float factor, const LowbitSplitCall& call, std::int8_t* to,
                     std::int32_t* sums) {
    const __m256 by = _mm256_set1_ps(factor);
    const __m256i lowest = _mm256_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 4, 8, 12,
                                            -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    __m256i sum[3] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};
    for (std::int64_t i = 0; i < count; i += 8) {
      float some[8] = {};
      const std::int64_t inside = count - i < 8 ? count - i : 8;
      if (inside < 8) __builtin_memcpy(some, x + i, static_cast<unsigned long>(inside) * 4);
      __m256i q = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(inside < 8 ? some : x + i), by));
      for (int d = 0; d < call.digits; ++d) {
        const __m256i digit = _mm256_srai_epi32(_mm256_slli_epi32(q, 24), 24);
        const __m256i bytes = _mm256_shuffle_epi8(q, lowest);
        const std::int32_t fours[2] = {_mm256_extract_epi32(bytes, 0), _mm256_extract_epi32(bytes, 4)};
        __builtin_memcpy(to + d * call.padded + i, fours, static_cast<unsigned long>(inside));
        sum[d] = _mm256_add_epi32(sum[d], digit);
        q = _mm256_srai_epi32(_mm256_sub_epi32(q, digit), 8);
      }
    }
    for (int d = 0; d < call.digits; ++d) sums[d] = sum_of(sum[d]);
  }
};

/// Where a tile reads: some rows of all digits, half a panel, one group.
struct Place {
  const std::uint8_t* codes;
  std::int64_t chunks, chunk_step;
  const std::int8_t* x;
  std::int64_t x_row, x_digit;
};

/// Sums of N rows' digits with 8 columns. Products of pairs are added in 16 bits as long as they fit.
template <int Bits, int N, int D>
inline void half_panel_sums(const Place& at, __m256i* sums) {
  constexpr int per_byte = 8 / Bits;
  constexpr int most_code = Bits == 8 ? 15 : (1 << Bits) - 1;  // codes of 8 bits are taken in halves
  constexpr int together = 32767 / (2 * 128 * most_code) / per_byte;
  constexpr int parts = Bits == 8 ? 2 : 1;
  const __m256i mask = _mm256_set1_epi8(Bits == 8 ? 15 : most_code), ones = _mm256_set1_epi16(1);
  for (int i = 0; i < N; ++i) sums[i] = _mm256_setzero_si256();
  const std::uint8_t* codes = at.codes;
  const std::int8_t* x = at.x;
  for (std::int64_t first = 0; first < at.chunks; first += together) {
    __m256i acc[parts][N];
#pragma GCC unroll 2
    for (int h = 0; h < parts; ++h) {
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) acc[h][i] = _mm256_setzero_si256();
    }
    const std::int64_t last = first + together < at.chunks ? first + together : at.chunks;
    for (std::int64_t c = first; c < last; ++c, codes += at.chunk_step) {
      const __m256i chunk = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes));
#pragma GCC unroll 8
      for (int s = 0; s < per_byte; ++s, x += 4) {
        const __m256i w = _mm256_and_si256(_mm256_srli_epi16(chunk, s * Bits % 8), mask);
#pragma GCC unroll 4
        for (int i = 0; i < N; ++i) {
          std::int32_t four;
          __builtin_memcpy(&four, x + i / D * at.x_row + i % D * at.x_digit, 4);
          const __m256i fours = _mm256_set1_epi32(four);
          acc[0][i] = _mm256_add_epi16(acc[0][i], _mm256_maddubs_epi16(w, fours));
          if constexpr (Bits == 8) {
            const __m256i upper = _mm256_and_si256(_mm256_srli_epi16(chunk, 4), mask);
            acc[1][i] = _mm256_add_epi16(acc[1][i], _mm256_maddubs_epi16(upper, fours));
          }
        }
      }
    }
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) {
      __m256i sum = _mm256_madd_epi16(acc[0][i], ones);
      if constexpr (Bits == 8) {
        sum = _mm256_add_epi32(sum, _mm256_slli_epi32(_mm256_madd_epi16(acc[1][i], ones), 4));
      }
      sums[i] = _mm256_add_epi32(sums[i], sum);
    }
  }
}

struct Rows {
  std::int64_t first, group;
};

/// Adds the sums of R rows with 8 columns from this one, of one group.
template <int Bits, int D, int R>
inline void add_group(const LowbitCall& call, const Rows& rows, const std::uint8_t* header, std::int64_t column) {
  const std::int64_t x_digit = call.chunks * 32 / Bits, x_group = x_digit * D,
                     at = rows.first * call.groups + rows.group;
  const std::uint8_t* codes = header + lowbit_header_bytes(call.panels, call.scale_bytes, call.zero_points);
  __m256i sums[R * D];
  half_panel_sums<Bits, R * D, D>(
      {codes + column * 4, call.chunks, call.panels * 64, call.x + at * x_group, call.groups * x_group, x_digit}, sums);
  const __m256 scale = call.scale_bytes == 4
                           ? _mm256_loadu_ps(reinterpret_cast<const float*>(header) + column)
                           : _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(header + column * 2)));
  __m256i zero_points = _mm256_setzero_si256();
  if (call.zero_points) {
    zero_points = _mm256_cvtepu8_epi32(
        _mm_loadl_epi64(reinterpret_cast<const __m128i*>(header + call.panels * 16 * call.scale_bytes + column)));
  }
  for (int r = 0; r < R; ++r) {
    const std::int64_t of_row = at + r * call.groups;
    __m256i t[D];
    for (int d = 0; d < D; ++d) {
      const __m256i sum = call.step == 1 ? sums[r * D + d] : _mm256_slli_epi32(sums[r * D + d], 1);
      const __m256i x_sum = _mm256_set1_epi32(call.x_sums[of_row * D + d]);
      t[d] = call.zero_points ? _mm256_sub_epi32(sum, _mm256_mullo_epi32(zero_points, x_sum))
                              : _mm256_add_epi32(sum, x_sum);
    }
    __m256i low = t[0];
    if constexpr (D > 1) low = _mm256_add_epi32(low, _mm256_slli_epi32(t[1], 8));
    __m256 value = _mm256_cvtepi32_ps(low);
    if constexpr (D > 2) value = _mm256_fmadd_ps(_mm256_cvtepi32_ps(t[2]), _mm256_set1_ps(65536.0f), value);
    value = _mm256_mul_ps(value, _mm256_set1_ps(call.x_scales[of_row]));
    float* y = call.sums + (rows.first + r) * 64 + column;
    _mm256_store_ps(y, _mm256_fmadd_ps(value, scale, _mm256_load_ps(y)));
  }
}

template <int Bits, int D, int R>
void add_rows(const LowbitCall& call, std::int64_t row) {
  const std::int64_t group_bytes =
      lowbit_header_bytes(call.panels, call.scale_bytes, call.zero_points) + call.chunks * call.panels * 64;
  for (std::int64_t g = 0; g < call.groups; ++g) {
    for (std::int64_t column = 0; column < call.panels * 16; column += 8) {
      add_group<Bits, D, R>(call, {row, g}, call.weights + g * group_bytes, column);
    }
  }
}

template <int Bits, int D>
void add_products(const LowbitCall& call) {
  constexpr int most = D == 1 ? 4 : 1;
  std::int64_t row = 0;
  for (; row + most <= call.rows; row += most) add_rows<Bits, D, most>(call, row);
  for (; row < call.rows; ++row) add_rows<Bits, D, 1>(call, row);
}

template <int Bits>
void add_digits(const LowbitCall& call) {
  if (call.digits == 1) return add_products<Bits, 1>(call);
  if (call.digits == 2) return add_products<Bits, 2>(call);
  add_products<Bits, 3>(call);
}

void finish(const LowbitCall& call) {
  const __m256 low = _mm256_set1_ps(call.low), high = _mm256_set1_ps(call.high);
  for (std::int64_t r = 0; r < call.rows; ++r) {
    for (std::int64_t j = 0; j < call.columns; j += 8) {
      alignas(32) float some[8];
      const __m256 sum = _mm256_load_ps(call.sums + r * 64 + j);
      _mm256_store_ps(some, _mm256_min_ps(high, _mm256_max_ps(low, sum)));
      const std::int64_t inside = call.columns - j < 8 ? call.columns - j : 8;
      __builtin_memcpy(call.y + r * call.y_stride + j, some, static_cast<unsigned long>(inside) * 4);
    }
  }
}

}  // namespace

void lowbit_split_avx2(const LowbitSplitCall& call) {
  split_row<Vectors>(call);
}

void lowbit_avx2(const LowbitCall& call) {
  for (std::int64_t r = 0; r < call.rows; ++r) {
    for (std::int64_t j = 0; j < call.panels * 16; ++j) call.sums[r * 64 + j] = call.bias[j];
  }
  switch (call.bits) {
    case 1:
      add_digits<1>(call);
      break;
    case 2:
      add_digits<2>(call);
      break;
    case 4:
      add_digits<4>(call);
      break;
    default:
      add_digits<8>(call);
      break;
  }
  finish(call);
}

}  // namespace adze::kernels
