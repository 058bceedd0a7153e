#pragma once

#include <cstdint>

namespace adze::kernels {

/// One row of output pixels of a depthwise convolution, some of its channels:
///
///   y[p, c] = clamp(bias[c] + sum over taps (i, j) of x[i][p * stride - pad + j * dilation, c] * weights[i, j, c])
///
/// over the columns of x that exist. Rows of taps outside the picture are left out of the call.
struct DepthwiseF32Call {
  const float* x;            ///< the first row of taps, its column 0, the first channel
  std::int64_t x_row;        ///< floats to the next row of taps
  std::int64_t row_taps;     ///< how many rows of taps lie in the picture, maybe 0
  std::int64_t x_columns;    ///< of the picture
  std::int64_t pixel;        ///< floats to the next column, of x and of y
  const float* weights;      ///< [row of taps][kernel_width][weight_step]
  std::int64_t weight_step;  ///< floats to the next tap
  std::int64_t kernel_width, stride, dilation, pad;
  const float* bias;
  std::int64_t channels;
  float low, high;
  float* y;
  std::int64_t y_columns;
};

}  // namespace adze::kernels
