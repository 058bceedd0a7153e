#pragma once

// For files compiled for AVX-512 only. Everything in an unnamed namespace: no symbol may reach other files.
#include <immintrin.h>

#include "adze/engine/kernels/dense_bf16/dense_bf16_call.h"

namespace adze::kernels {
namespace {

inline __mmask16 lanes_of(std::int64_t count) {
  return static_cast<__mmask16>(count >= 16 ? 0xffff : count <= 0 ? 0 : (1 << count) - 1);
}

/// 32 numbers to bf16, to nearest even; denormal ones to zero.
[[gnu::always_inline]] inline __m512i round_pair(__m512 low, __m512 high) {
  return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

inline void round_segment(const float* from, std::int64_t depth, std::uint16_t* to) {
  std::int64_t i = 0;
  for (; i + 32 <= depth; i += 32) {
    _mm512_storeu_si512(to + i, round_pair(_mm512_loadu_ps(from + i), _mm512_loadu_ps(from + i + 16)));
  }
  const std::int64_t left = depth - i;
  if (left == 0) return;
  const __m512i last = round_pair(_mm512_maskz_loadu_ps(lanes_of(left), from + i),
                                  _mm512_maskz_loadu_ps(lanes_of(left - 16), from + i + 16));
  _mm512_mask_storeu_epi32(to + i, lanes_of((left + 1) / 2), last);  // whole pairs
}

inline void round_rows(const Bf16RowsCall& call) {
  const std::int64_t segment_size = (call.depth + 1) / 2 * 2;
  const std::int64_t used = call.segments * segment_size, filled = 2 * call.pairs - used;
  for (std::int64_t r = 0; r < call.row_count; ++r) {
    std::uint16_t* to = call.to + r * call.to_stride;
    for (std::int64_t s = 0; s < call.segments; ++s) {
      round_segment(call.rows[r] + call.offsets[s], call.depth, to + s * segment_size);
    }
    for (std::int64_t i = 0; i < filled; ++i) to[used + i] = 0;
  }
}

/// Rows 2 p and 2 p + 1 of the matrix, 16 columns, interleaved.
[[gnu::always_inline]] inline __m512i interleaved(__m512 even, __m512 odd) {
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21,
                                         5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  return _mm512_permutexvar_epi16(order, round_pair(even, odd));
}

inline void pack_weights(const Bf16WeightsCall& call) {
  std::uint16_t* to = call.to;
  for (std::int64_t j = 0; j < call.columns; j += 16) {
    const __mmask16 inside = lanes_of(call.columns - j);
    const float* from = call.from + j;
    for (std::int64_t p = 0; p < call.pairs; ++p, from += 2 * call.row_stride, to += 32) {
      const __mmask16 first = 2 * p < call.depth ? inside : 0, second = 2 * p + 1 < call.depth ? inside : 0;
      _mm512_storeu_si512(to, interleaved(_mm512_maskz_loadu_ps(first, first != 0 ? from : call.from),
                                          _mm512_maskz_loadu_ps(second, second != 0 ? from + call.row_stride : from)));
    }
  }
}

}  // namespace
}  // namespace adze::kernels
