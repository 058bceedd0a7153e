#pragma once

#include <cstdint>

namespace adze::kernels {

/// Rows of integer sums to floats where they are: y[r, j] = float(sum[r, j]) * scale[j] + bias[j], rounded after each
/// operation. bias: null for none.
struct SumsF32Call {
  void* sums;  ///< s32 before, f32 after, [rows][columns]
  std::int64_t rows, columns;
  const float* scale;
  const float* bias;
};

}  // namespace adze::kernels
