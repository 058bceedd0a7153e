#include "adze/engine/kernels/conv_s8/conv_s8.h"
#include "adze/engine/kernels/ref_requantize.h"

namespace adze::kernels {

void gemm_s8_ref(const GemmS8Call& call) {
  for (std::int64_t r = 0; r < call.row_count; ++r) {
    for (std::int64_t j = 0; j < call.columns; ++j) {
      const std::int8_t* weights =
          call.weights + (j / gemm_s8_block * call.quads * gemm_s8_block + j % gemm_s8_block) * 4;
      auto acc = static_cast<std::uint32_t>(call.stage->bias[j]);
      if (call.row_terms != nullptr) acc += static_cast<std::uint32_t>(call.row_terms[r]);
      for (std::int64_t q = 0; q < call.quads; ++q, weights += gemm_s8_block * 4) {
        const std::uint8_t* x = call.rows[r] + call.offsets[q];
        for (int i = 0; i < 4; ++i) acc += static_cast<std::uint32_t>(std::int32_t{x[i]} * weights[i]);
      }
      const std::int64_t at = r * call.y_stride + j;
      if (call.sums != nullptr) {
        call.sums[at] = static_cast<std::int32_t>(acc);
      } else {
        call.y[at] = finish_one(*call.stage, static_cast<std::int32_t>(acc), j);
      }
    }
  }
}

}  // namespace adze::kernels
