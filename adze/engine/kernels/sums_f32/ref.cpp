#include <cstring>

#include "adze/engine/kernels/sums_f32/sums_f32_call.h"

namespace adze::kernels {

void sums_f32_ref(const SumsF32Call& call) {
  auto* at = static_cast<unsigned char*>(call.sums);
  for (std::int64_t r = 0; r < call.rows; ++r) {
    for (std::int64_t j = 0; j < call.columns; ++j, at += sizeof(float)) {
      std::int32_t sum;
      std::memcpy(&sum, at, sizeof sum);
      float y = static_cast<float>(sum) * call.scale[j];
      if (call.bias != nullptr) y += call.bias[j];
      std::memcpy(at, &y, sizeof y);
    }
  }
}

}  // namespace adze::kernels
