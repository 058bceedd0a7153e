#pragma once

#include <cstdint>

namespace adze::kernels {

/// Signs of floats as bits, 64 inputs a word: negative, and not zero. The last word is filled up with zeros.
struct SignPackCall {
  const float* x;
  std::int64_t count;
  std::uint64_t* negatives;
  std::uint64_t* nonzeros;
};

/// Sums of signs (-1, 0, 1) with the signs of weights, by counting bits:
///
///   y[r, j] = clamp(scale[j] * (sum over k of sign(x[r, k]) * sign(w[k, j])) + bias[j], low, high)
///
/// the last line by one fused multiply-add, so that every kernel gives the same bits. full[r]: no input of the row is
/// zero, but what fills its words up; then binary weights need no look at nonzeros. weights: for 8 columns after the
/// other and each word, 8 words of negatives, then, when ternary, 8 words of nonzeros.
struct SignSumsCall {
  const std::uint64_t* negatives;  ///< [row][words]
  const std::uint64_t* nonzeros;   ///< the same
  const std::uint8_t* full;        ///< [row]
  std::int64_t rows;
  std::int64_t words;
  std::int32_t inputs;  ///< of a full row
  const std::uint64_t* weights;
  bool ternary;
  std::int64_t columns;  ///< arrays by column are filled up to a multiple of 8
  const float* scales;
  const float* bias;
  float low, high;
  float* y;
  std::int64_t y_stride;
};

}  // namespace adze::kernels
