#include <immintrin.h>

#include "adze/engine/kernels/transpose/tiles.h"

namespace adze::kernels {

namespace {

inline __m128i load(const void* x) {
  return _mm_loadu_si128(static_cast<const __m128i*>(x));
}

inline void store(void* y, __m128i values) {
  _mm_storeu_si128(static_cast<__m128i*>(y), values);
}

/// 16 by 16: each stage brings rows 8 apart side by side; after four the rows are the columns.
struct ByteTile {
  using Element = std::uint8_t;
  static constexpr std::int64_t side = 16;
  static void turn(const Element* x, std::int64_t x_step, Element* y, std::int64_t y_step) {
    __m128i a[16], b[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) a[i] = load(x + i * x_step);
#pragma GCC unroll 4
    for (int stage = 0; stage < 4; ++stage) {
#pragma GCC unroll 8
      for (int i = 0; i < 8; ++i) {
        b[2 * i] = _mm_unpacklo_epi8(a[i], a[i + 8]);
        b[2 * i + 1] = _mm_unpackhi_epi8(a[i], a[i + 8]);
      }
#pragma GCC unroll 16
      for (int i = 0; i < 16; ++i) a[i] = b[i];
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) store(y + i * y_step, a[i]);
  }
};

/// 8 by 8, in three such stages.
struct PairTile {
  using Element = std::uint16_t;
  static constexpr std::int64_t side = 8;
  static void turn(const Element* x, std::int64_t x_step, Element* y, std::int64_t y_step) {
    __m128i a[8], b[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) a[i] = load(x + i * x_step);
#pragma GCC unroll 3
    for (int stage = 0; stage < 3; ++stage) {
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        b[2 * i] = _mm_unpacklo_epi16(a[i], a[i + 4]);
        b[2 * i + 1] = _mm_unpackhi_epi16(a[i], a[i + 4]);
      }
#pragma GCC unroll 8
      for (int i = 0; i < 8; ++i) a[i] = b[i];
    }
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) store(y + i * y_step, a[i]);
  }
};

/// 8 by 8: the halves of rows 4 apart are joined when they are loaded, then four by four twice.
struct QuadTile {
  using Element = std::uint32_t;
  static constexpr std::int64_t side = 8;
  static void turn(const Element* x, std::int64_t x_step, Element* y, std::int64_t y_step) {
#pragma GCC unroll 2
    for (int half = 0; half < 2; ++half) {
      __m256 a[4];
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        const Element* at = x + i * x_step + 4 * half;
        a[i] = _mm256_castsi256_ps(_mm256_inserti128_si256(_mm256_castsi128_si256(load(at)), load(at + 4 * x_step), 1));
      }
      const __m256 low[2] = {_mm256_unpacklo_ps(a[0], a[1]), _mm256_unpacklo_ps(a[2], a[3])};
      const __m256 high[2] = {_mm256_unpackhi_ps(a[0], a[1]), _mm256_unpackhi_ps(a[2], a[3])};
      auto* to = reinterpret_cast<float*>(y + 4 * half * y_step);
      _mm256_storeu_ps(to, _mm256_shuffle_ps(low[0], low[1], 0x44));
      _mm256_storeu_ps(to + y_step, _mm256_shuffle_ps(low[0], low[1], 0xee));
      _mm256_storeu_ps(to + 2 * y_step, _mm256_shuffle_ps(high[0], high[1], 0x44));
      _mm256_storeu_ps(to + 3 * y_step, _mm256_shuffle_ps(high[0], high[1], 0xee));
    }
  }
};

struct WideTile {
  using Element = std::uint64_t;
  static constexpr std::int64_t side = 4;
  static void turn(const Element* x, std::int64_t x_step, Element* y, std::int64_t y_step) {
    __m256i a[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) a[i] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + i * x_step));
#pragma GCC unroll 2
    for (int odd = 0; odd < 2; ++odd) {
      const __m256i first = odd ? _mm256_unpackhi_epi64(a[0], a[1]) : _mm256_unpacklo_epi64(a[0], a[1]);
      const __m256i second = odd ? _mm256_unpackhi_epi64(a[2], a[3]) : _mm256_unpacklo_epi64(a[2], a[3]);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(y + odd * y_step), _mm256_permute2x128_si256(first, second, 0x20));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(y + (odd + 2) * y_step),
                          _mm256_permute2x128_si256(first, second, 0x31));
    }
  }
};

}  // namespace

void transpose_avx2(const TransposeCall& call, std::int64_t width) {
  if (width == 1) return turn_all<ByteTile>(call);
  if (width == 2) return turn_all<PairTile>(call);
  if (width == 4) return turn_all<QuadTile>(call);
  turn_all<WideTile>(call);
}

}  // namespace adze::kernels
