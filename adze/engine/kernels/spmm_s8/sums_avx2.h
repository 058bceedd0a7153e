#pragma once

// For files compiled for AVX2 and more. Everything in an unnamed namespace: no symbol may reach other files.
#include "adze/engine/kernels/avx2_requantize.h"
#include "adze/engine/kernels/spmm_s8/spmm_s8_call.h"

namespace adze::kernels {
namespace {

constexpr std::int64_t width = spmm_s8_rows;

/// Sixteen vectors of 16 bytes to their transpose.
[[gnu::always_inline]] inline void transpose_bytes(__m128i* v) {
  __m128i t[16];
  const auto interleave = [](const __m128i* from, __m128i* to) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      to[2 * i] = _mm_unpacklo_epi8(from[i], from[i + 8]);
      to[2 * i + 1] = _mm_unpackhi_epi8(from[i], from[i + 8]);
    }
  };
  interleave(v, t);
  interleave(t, v);
  interleave(v, t);
  interleave(t, v);
}

inline __m128i load_some(const std::uint8_t* from, std::int64_t count) {
  if (count >= 16) return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  alignas(16) std::uint8_t some[16] = {};
  for (std::int64_t i = 0; i < count; ++i) some[i] = from[i];
  return _mm_load_si128(reinterpret_cast<const __m128i*>(some));
}

/// The panel: input k of row r at [k][r].
void fill_panel(const SpmmS8Call& call) {
  for (std::int64_t s = 0; s < call.segments; ++s) {
    std::uint8_t* panel = call.panel + s * call.depth * width;
    for (std::int64_t first = 0; first < width; first += 16) {
      const std::uint8_t* rows[16];
      for (std::int64_t r = 0; r < 16; ++r) {
        const std::int64_t row = first + r < call.row_count ? first + r : call.row_count - 1;
        rows[r] = call.rows[row] + call.offsets[s];
      }
      for (std::int64_t step = 0; step < call.depth; step += 16) {
        // The last sixteen again rather than fewer.
        const std::int64_t k = step + 16 > call.depth && call.depth >= 16 ? call.depth - 16 : step;
        __m128i v[16];
#pragma GCC unroll 16
        for (int r = 0; r < 16; ++r) v[r] = load_some(rows[r] + k, call.depth - k);
        transpose_bytes(v);
#pragma GCC unroll 16
        for (int j = 0; j < 16; ++j) {
          _mm_store_si128(reinterpret_cast<__m128i*>(panel + (k + j) * width + first), v[j]);
        }
      }
    }
  }
}

/// From bytes [column][row] to y [row][column].
void write_rows(const SpmmS8Call& call) {
  for (std::int64_t j = 0; j < call.columns; j += 16) {
    const std::int64_t inside = call.columns - j < 16 ? call.columns - j : 16;
    for (std::int64_t first = 0; first < call.row_count; first += 16) {
      alignas(16) std::uint8_t turned[16][16];
      __m128i v[16];
#pragma GCC unroll 16
      for (int c = 0; c < 16; ++c) {
        v[c] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(call.bytes + (j + c) * width + first));
      }
      transpose_bytes(v);
#pragma GCC unroll 16
      for (int r = 0; r < 16; ++r) _mm_store_si128(reinterpret_cast<__m128i*>(turned[r]), v[r]);
      for (std::int64_t r = 0; r < 16 && first + r < call.row_count; ++r) {
        std::uint8_t* y = call.y + (first + r) * call.y_stride + j;
        if (inside == 16) {
          __builtin_memcpy(y, turned[r], 16);
        } else {
          for (std::int64_t c = 0; c < inside; ++c) y[c] = turned[r][c];
        }
      }
    }
  }
}

/// Bytes of two inputs of 32 rows by turns: of half the rows, 0 to 7 and 16 to 23, or 8 to 15 and 24 to 31.
template <bool upper>
[[gnu::always_inline]] inline __m256i by_turns(const std::uint8_t* panel, std::int32_t left, std::int32_t right) {
  const __m256i a = _mm256_load_si256(reinterpret_cast<const __m256i*>(panel + left * width));
  const __m256i b = _mm256_load_si256(reinterpret_cast<const __m256i*>(panel + right * width));
  return upper ? _mm256_unpackhi_epi8(a, b) : _mm256_unpacklo_epi8(a, b);
}

/// Two vectors of sums of one column: rows 0 to 3, 16 to 19 and 4 to 7, 20 to 23 (upper: 8 more).
struct Sums {
  __m256i first, second;
};

template <bool upper>
[[gnu::always_inline]] inline void store_sums(const SpmmS8Call& call, const Sums& sums, std::int64_t column) {
  const __m128i bytes = _mm_shuffle_epi32(finish_sixteen(*call.spread, sums.first, sums.second, 16 * column), 0xd8);
  std::uint8_t* to = call.bytes + column * width + (upper ? 8 : 0);
  _mm_storel_epi64(reinterpret_cast<__m128i*>(to), bytes);
  _mm_storel_epi64(reinterpret_cast<__m128i*>(to + 16), _mm_unpackhi_epi64(bytes, bytes));
}

/// Products: how quads of bytes and of weights are multiplied and added up.
template <typename Products, bool upper>
[[gnu::always_inline]] inline void block_sums(const SpmmS8Call& call, std::int64_t b) {
  constexpr int together = 4;  // columns
  for (std::int64_t half = 0; half < 8; half += together) {
    const std::int64_t column = b * 8 + half;
    Sums acc[together];
#pragma GCC unroll 4
    for (int c = 0; c < together; ++c) {
      acc[c].first = acc[c].second = _mm256_set1_epi32(call.spread->bias[(column + c) * 16]);
    }
    for (std::int64_t q = call.starts[b]; q < call.starts[b + 1]; ++q) {
      const typename Products::template Rows<upper> x(call.panel, call.indices + 4 * q);
      const typename Products::FourWeights w(call.values + q * 32 + 4 * half);
#pragma GCC unroll 4
      for (int c = 0; c < together; ++c) Products::add(acc[c], x, w, c);
    }
#pragma GCC unroll 4
    for (int c = 0; c < together; ++c) store_sums<upper>(call, acc[c], column + c);
  }
}

template <typename Products>
[[gnu::always_inline]] inline void single_sums(const SpmmS8Call& call, std::int64_t j) {
  Sums low, high;
  low.first = low.second = high.first = high.second = _mm256_set1_epi32(call.spread->bias[j * 16]);
  for (std::int64_t q = call.starts[j]; q < call.starts[j + 1]; ++q) {
    const typename Products::OneWeight w(call.values + 4 * q);
    const std::int32_t* indices = call.indices + 4 * q;
    Products::add(low, typename Products::template Rows<false>(call.panel, indices), w);
    Products::add(high, typename Products::template Rows<true>(call.panel, indices), w);
  }
  store_sums<false>(call, low, j);
  store_sums<true>(call, high, j);
}

template <typename Products>
void sparse_sums(const SpmmS8Call& call) {
  fill_panel(call);
  for (std::int64_t b = 0; b < call.blocks; ++b) {
    if (call.block == 8) {
      block_sums<Products, false>(call, b);
      block_sums<Products, true>(call, b);
    } else {
      single_sums<Products>(call, b);
    }
  }
  write_rows(call);
}

}  // namespace
}  // namespace adze::kernels
