#pragma once

#include <cstdint>

namespace adze::kernels {

/// Rows of `length` numbers next to each other; y may be x.
struct RowsF32Call {
  const float* x;
  float* y;
  std::int64_t rows, length;
};

/// y = exp(x - max) / sum of them, by row; logarithm: its logarithm.
using SoftmaxF32 = void (*)(const RowsF32Call&, bool logarithm);

/// y = (x - mean) / sqrt(variance + epsilon) * scale + bias, by row; bias may be null.
using LayerNormF32 = void (*)(const RowsF32Call&, const float* scale, const float* bias, float epsilon);

}  // namespace adze::kernels
