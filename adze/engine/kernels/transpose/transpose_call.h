#pragma once

#include <cstdint>

namespace adze::kernels {

/// y[j * y_step + i] = x[i * x_step + j] for i < rows, j < columns: elements of 1, 2, 4 or 8 bytes, steps in elements.
struct TransposeCall {
  const void* x;
  std::int64_t rows, columns, x_step;
  void* y;
  std::int64_t y_step;
};

}  // namespace adze::kernels
