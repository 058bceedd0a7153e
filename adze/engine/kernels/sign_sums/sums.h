#pragma once

// For instruction-set files only, after their vectors. Everything in an unnamed namespace.
#include "adze/engine/kernels/sign_sums/sign_sums_call.h"

namespace adze::kernels {
namespace {

/// Sums of one row with B blocks of 8 columns. V: Words (V::lanes of 64 bits), broadcast, load, exclusive_or, both,
/// add, count (bits of each word). store(sums, first column): the sums of V::lanes columns, bits counted apart.
template <typename V, bool masked, bool ternary, int B>
inline void sign_columns(const SignSumsCall& call, std::int64_t row, std::int64_t block) {
  constexpr int parts = 8 / V::lanes;
  constexpr std::int64_t width = ternary ? 16 : 8;
  typename V::Words differ[B * parts], seen[B * parts];
#pragma GCC unroll 8
  for (int b = 0; b < B * parts; ++b) differ[b] = seen[b] = V::broadcast(0);
  const std::uint64_t *negatives = call.negatives + row * call.words, *nonzeros = call.nonzeros + row * call.words;
  const std::uint64_t* weights = call.weights + block * call.words * width;
  for (std::int64_t w = 0; w < call.words; ++w, weights += width) {
    const auto x = V::broadcast(negatives[w]);
    [[maybe_unused]] const auto mask = V::broadcast(masked ? nonzeros[w] : 0);
#pragma GCC unroll 8
    for (int b = 0; b < B; ++b) {
#pragma GCC unroll 2
      for (int p = 0; p < parts; ++p) {
        const std::uint64_t* at = weights + b * call.words * width + p * V::lanes;
        auto bits = V::exclusive_or(x, V::load(at));
        if constexpr (masked) {
          auto both = mask;
          if constexpr (ternary) both = V::both(mask, V::load(at + 8));
          bits = V::both(bits, both);
          seen[b * parts + p] = V::add(seen[b * parts + p], V::count(both));
        }
        differ[b * parts + p] = V::add(differ[b * parts + p], V::count(bits));
      }
    }
  }
#pragma GCC unroll 8
  for (int b = 0; b < B * parts; ++b) {
    const std::int64_t column = block * 8 + b * V::lanes, exist = call.columns - column;
    if (exist <= 0) break;
    std::int64_t sums[V::lanes], all[V::lanes];
    V::store(sums, differ[b]);
    V::store(all, seen[b]);
    for (std::int64_t i = 0; i < V::lanes && i < exist; ++i) {
      const auto sum = static_cast<float>((masked ? all[i] : call.inputs) - 2 * sums[i]);
      const float y = __builtin_fmaf(sum, call.scales[column + i], call.bias[column + i]);
      const float above = call.low > y ? call.low : y;
      call.y[row * call.y_stride + column + i] = call.high < above ? call.high : above;
    }
  }
}

template <typename V, bool masked, bool ternary>
inline void sign_row(const SignSumsCall& call, std::int64_t row) {
  const std::int64_t blocks = (call.columns + 7) / 8;
  std::int64_t block = 0;
  for (; block + V::together <= blocks; block += V::together) {
    sign_columns<V, masked, ternary, V::together>(call, row, block);
  }
  for (; block < blocks; ++block) sign_columns<V, masked, ternary, 1>(call, row, block);
}

template <typename V>
inline void sign_rows(const SignSumsCall& call) {
  for (std::int64_t r = 0; r < call.rows; ++r) {
    if (call.ternary) {
      sign_row<V, true, true>(call, r);
    } else if (call.full[r] != 0) {
      sign_row<V, false, false>(call, r);
    } else {
      sign_row<V, true, false>(call, r);
    }
  }
}

}  // namespace
}  // namespace adze::kernels
