#include "adze/engine/kernels/f32_plain.h"
#include "adze/engine/kernels/spmm_f32/spmm_f32_call.h"

namespace adze::kernels {

void spmm_f32_ref(const SpmmF32Call& call) {
  using V = F32Plain;
  for (std::int64_t row = 0; row < call.row_count; ++row) {
    for (std::int64_t b = 0; b < call.blocks; ++b) {
      for (std::int64_t r = 0; r < call.block && b * call.block + r < call.columns; ++r) {
        float sum = call.bias[b * call.block + r];
        for (std::int64_t at = b; at < call.slices * call.blocks; at += call.blocks) {
          for (std::int32_t e = call.starts[at]; e < call.starts[at + 1]; ++e) {
            const std::int64_t segment = call.indices[e] / call.depth, i = call.indices[e] % call.depth;
            sum += call.rows[row][call.offsets[segment] + i] * call.values[e * call.block + r];
          }
        }
        call.y[row * call.y_stride + b * call.block + r] = V::clamp(sum, call.low, call.high);
      }
    }
  }
}

}  // namespace adze::kernels
