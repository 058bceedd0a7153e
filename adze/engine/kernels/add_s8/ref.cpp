#include "adze/engine/kernels/add_s8/add_s8.h"
#include "adze/engine/kernels/ref_requantize.h"

namespace adze::kernels {

void add_s8_ref(const AddS8Call& call) {
  const OutputStage& stage = *call.stage;
  if (stage.profile != OutputStage::Onnx) {
    const auto* left = static_cast<const std::int32_t*>(call.left);
    const auto* right = static_cast<const std::int32_t*>(call.right);
    for (std::int64_t i = 0; i < call.count; ++i) call.y[i] = finish_one(stage, left[call.a[i]] + right[call.b[i]], 0);
    return;
  }
  const auto* left = static_cast<const float*>(call.left);
  const auto* right = static_cast<const float*>(call.right);
  for (std::int64_t i = 0; i < call.count; ++i) {
    const float real = (left[call.a[i]] + right[call.b[i]]) / stage.scale[0];
    const std::int32_t q = round_half_even(real, stage.low - stage.zero_point, stage.high - stage.zero_point);
    call.y[i] = static_cast<std::uint8_t>(q + stage.zero_point);
  }
}

}  // namespace adze::kernels
