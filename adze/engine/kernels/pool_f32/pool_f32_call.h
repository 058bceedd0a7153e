#pragma once

#include <cstdint>

namespace adze::kernels {

/// One row of output pixels of a float pool: the largest of each window's taps, or their mean. Rows of taps outside the
/// picture are left out of the call, columns outside are passed over.
struct PoolF32Call {
  const float* x;          ///< the first row of taps, column 0
  std::int64_t x_row;      ///< floats to the next row of taps
  std::int64_t row_taps;   ///< how many rows of taps lie in the picture, maybe 0
  std::int64_t x_columns;  ///< of the picture
  std::int64_t channels;
  std::int64_t kernel_width, stride, dilation, pad;
  bool mean;
  std::int64_t divisor;  ///< of a mean; 0: the number of taps inside
  float* y;
  std::int64_t y_columns;
};

}  // namespace adze::kernels
