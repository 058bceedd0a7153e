#include "adze/engine/kernels/pack_s8/pack_s8_call.h"

namespace adze::kernels {

void pack_s8_ref(const PackS8Call& call) {
  const std::int64_t quads = (call.depth + 3) / 4;
  for (std::int64_t j = 0; j < (call.columns + 15) / 16 * 16; ++j) {
    std::int8_t* column = call.packed + j / 16 * quads * 64 + j % 16 * 4;
    const bool there = j < call.columns;
    std::uint32_t sum = 0;
    for (std::int64_t k = 0; k < 4 * quads; ++k) {
      std::int8_t w = 0;
      if (there && k < call.depth) {
        w = static_cast<std::int8_t>(call.x[k * call.depth_step + j * call.column_step] ^ call.flip);
      }
      column[k / 4 * 64 + k % 4] = w;
      sum += static_cast<std::uint32_t>(std::int32_t{w});
    }
    call.terms[j] = static_cast<std::int32_t>(static_cast<std::uint32_t>(call.start) +
                                              static_cast<std::uint32_t>(call.factor) * sum);
  }
}

void pack_s8_ref_row_terms(const RowTermsCall& call) {
  for (std::int64_t r = 0; r < call.rows; ++r) {
    const std::uint8_t* x = call.x + r * call.row_step;
    std::uint32_t sum = 0;
    for (std::int64_t k = 0; k < call.depth; ++k) sum += x[k];
    call.terms[r] = static_cast<std::int32_t>(static_cast<std::uint32_t>(call.factor) * sum);
  }
}

}  // namespace adze::kernels
