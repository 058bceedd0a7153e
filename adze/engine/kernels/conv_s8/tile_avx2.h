#pragma once

// For files compiled for AVX2 only. Everything in an unnamed namespace: no symbol may reach other files.
#include "adze/engine/kernels/avx2_requantize.h"
#include "adze/engine/kernels/conv_s8/conv_s8_call.h"

namespace adze::kernels {
namespace {

[[gnu::always_inline]] inline __m256i broadcast_quad(const std::uint8_t* x) {
  int quad;
  __builtin_memcpy(&quad, x, 4);
  return _mm256_set1_epi32(quad);
}

[[gnu::always_inline]] inline void store_first(std::uint8_t* y, __m128i values, std::int64_t count) {
  if (count >= 16) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(y), values);
    return;
  }
  alignas(16) std::uint8_t all[16];
  _mm_store_si128(reinterpret_cast<__m128i*>(all), values);
  for (std::int64_t i = 0; i < count; ++i) y[i] = all[i];
}

[[gnu::always_inline]] inline void store_first(std::int32_t* to, __m256i first, __m256i second, std::int64_t count) {
  alignas(32) std::int32_t all[16];
  _mm256_store_si256(reinterpret_cast<__m256i*>(all), first);
  _mm256_store_si256(reinterpret_cast<__m256i*>(all) + 1, second);
  __builtin_memcpy(to, all, static_cast<std::size_t>(count < 16 ? count : 16) * 4);
}

/// Rows rows by a block of 16 columns. Product: Weights, of 8 columns by 4 bytes; Quad, of a row; add(acc, quad,
/// weights).
template <typename Product, int rows>
[[gnu::always_inline]] inline void tile(const GemmS8Call& call, std::int64_t row, std::int64_t column) {
  const std::int8_t* weights = call.weights + column * call.quads * 4;
  const std::uint8_t* x[rows];
  __m256i acc[rows][2];
  const auto* bias = reinterpret_cast<const __m256i*>(call.stage->bias + column);
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) {
    x[r] = call.rows[row + r];
    acc[r][0] = _mm256_loadu_si256(bias);
    acc[r][1] = _mm256_loadu_si256(bias + 1);
    if (call.row_terms == nullptr) continue;
    const __m256i term = _mm256_set1_epi32(call.row_terms[row + r]);
    acc[r][0] = _mm256_add_epi32(acc[r][0], term);
    acc[r][1] = _mm256_add_epi32(acc[r][1], term);
  }
  const std::int32_t *offset = call.offsets, *end = offset + call.quads;
  for (; offset != end; ++offset, weights += 64) {
    const std::int64_t at = *offset;
    const auto* both = reinterpret_cast<const __m256i*>(weights);
    const typename Product::Weights left(_mm256_loadu_si256(both)), right(_mm256_loadu_si256(both + 1));
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
      const typename Product::Quad quad(broadcast_quad(x[r] + at));
      Product::add(acc[r][0], quad, left);
      Product::add(acc[r][1], quad, right);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) {
    if (call.sums != nullptr) {
      store_first(call.sums + (row + r) * call.y_stride + column, acc[r][0], acc[r][1], call.columns - column);
      continue;
    }
    store_first(call.y + (row + r) * call.y_stride + column, finish_sixteen(*call.stage, acc[r][0], acc[r][1], column),
                call.columns - column);
  }
}

template <typename Product, int most>
[[gnu::always_inline]] inline void multiply_by_tiles(const GemmS8Call& call) {
  for (std::int64_t column = 0; column < call.columns; column += 16) {
    std::int64_t row = 0;
    for (; row + most <= call.row_count; row += most) tile<Product, most>(call, row, column);
    for (; row + 2 <= call.row_count; row += 2) tile<Product, 2>(call, row, column);
    for (; row < call.row_count; ++row) tile<Product, 1>(call, row, column);
  }
}

}  // namespace
}  // namespace adze::kernels
