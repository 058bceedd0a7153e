#pragma once

#include <cstdint>

namespace adze::kernels {

/// A part of the sums of some rows (pixels) with one panel of columns (output channels) of packed weights:
///
///   y[r, j] = (begins ? bias[j] : y[r, j]) + sum over segments s and i < depth of rows[r][offsets[s] + i] * w[s, i, j]
///
/// added in this order, and clamped to [low, high] by the part that ends them. A row of a convolution has one segment a
/// kernel row. weights: [segment][depth][vectors of lanes columns]; bias: as many; columns: how many of them exist.
struct DenseF32Call {
  const float* const* rows;
  std::int64_t row_count;
  const std::int64_t* offsets;
  std::int64_t segments;
  std::int64_t depth;
  const float* weights;
  std::int64_t vectors;  ///< 1 to the kernel's most
  std::int64_t columns;
  const float* bias;  ///< null when this part goes on with what y holds
  bool ends;
  float low, high;
  const float* next;  ///< weights that will be read next, to be fetched from far away
  std::int64_t next_count;
  float* y;
  std::int64_t y_stride;
};

/// A panel of weights times a factor for each input: to[i, j] = weights[i, j] * factors[i], rows of width numbers.
struct DenseF32Scale {
  const float* weights;
  const float* factors;
  std::int64_t depth, width;
  float* to;
};

}  // namespace adze::kernels
