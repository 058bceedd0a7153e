#include <algorithm>

#include "adze/engine/kernels/dense_f32/dense_f32_call.h"

namespace adze::kernels {

/// Plain loops, the innermost along memory.
void dense_f32_ref(const DenseF32Call& call) {
  constexpr std::int64_t lanes = 4, most = 16;
  const std::int64_t width = call.vectors * lanes;
  for (std::int64_t r = 0; r < call.row_count; ++r) {
    float* y = call.y + r * call.y_stride;
    float acc[most] = {};
    std::copy_n(call.bias != nullptr ? call.bias : y, call.columns, acc);
    const float* w = call.weights;
    for (std::int64_t s = 0; s < call.segments; ++s) {
      const float* x = call.rows[r] + call.offsets[s];
      for (std::int64_t i = 0; i < call.depth; ++i, w += width) {
        for (std::int64_t j = 0; j < width; ++j) acc[j] += x[i] * w[j];
      }
    }
    for (std::int64_t j = 0; j < call.columns; ++j) {
      y[j] = call.ends ? std::min(std::max(acc[j], call.low), call.high) : acc[j];
    }
  }
}

void dense_f32_ref_scale(const DenseF32Scale& call) {
  for (std::int64_t i = 0; i < call.depth * call.width; ++i) {
    call.to[i] = call.weights[i] * call.factors[i / call.width];
  }
}

}  // namespace adze::kernels
