#include <algorithm>

#include "adze/engine/kernels/depthwise_f32/depthwise_f32_call.h"

namespace adze::kernels {

/// Plain loops.
void depthwise_f32_ref(const DepthwiseF32Call& call) {
  for (std::int64_t p = 0; p < call.y_columns; ++p) {
    float* y = call.y + p * call.pixel;
    std::copy_n(call.bias, call.channels, y);
    for (std::int64_t i = 0; i < call.row_taps; ++i) {
      for (std::int64_t j = 0; j < call.kernel_width; ++j) {
        const std::int64_t column = p * call.stride - call.pad + j * call.dilation;
        if (column < 0 || column >= call.x_columns) continue;
        const float* x = call.x + i * call.x_row + column * call.pixel;
        const float* w = call.weights + (i * call.kernel_width + j) * call.weight_step;
        for (std::int64_t c = 0; c < call.channels; ++c) y[c] += x[c] * w[c];
      }
    }
    for (std::int64_t c = 0; c < call.channels; ++c) y[c] = std::min(std::max(y[c], call.low), call.high);
  }
}

}  // namespace adze::kernels
