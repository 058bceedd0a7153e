#include "adze/engine/kernels/ref_requantize.h"
#include "adze/engine/kernels/spmm_s8/spmm_s8.h"

namespace adze::kernels {

void spmm_s8_ref(const SpmmS8Call& call) {
  for (std::int64_t r = 0; r < call.row_count; ++r) {
    for (std::int64_t j = 0; j < call.columns; ++j) {
      const std::int64_t b = j / call.block;
      auto acc = static_cast<std::uint32_t>(call.stage->bias[j]);
      for (std::int64_t q = call.starts[b]; q < call.starts[b + 1]; ++q) {
        const std::int8_t* w = call.values + (q * call.block + j % call.block) * 4;
        for (std::int64_t i = 0; i < 4; ++i) {
          const std::int32_t index = call.indices[4 * q + i];
          const std::uint8_t x = call.rows[r][call.offsets[index / call.depth] + index % call.depth];
          acc += static_cast<std::uint32_t>(std::int32_t{x} * w[i]);
        }
      }
      call.y[r * call.y_stride + j] = finish_one(*call.stage, static_cast<std::int32_t>(acc), j);
    }
  }
}

}  // namespace adze::kernels
