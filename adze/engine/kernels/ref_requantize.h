#pragma once

#include <cstdint>

#include "adze/engine/kernels/output_stage.h"
#include "adze/numerics/requantize.h"

namespace adze::kernels {

/// One accumulator to a quantized number, by the shared helper.
inline std::uint8_t finish_one(const OutputStage& stage, std::int32_t acc, std::int64_t column) {
  constexpr RoundingProfile profiles[] = {RoundingProfile::Tflm, RoundingProfile::Litert, RoundingProfile::Onnx};
  RequantizeParameters by;
  by.profile = profiles[stage.profile];
  if (stage.profile == OutputStage::Onnx) {
    by.scale = stage.scale[column];
  } else {
    by.fixed = {stage.multiplier[column], stage.shift[column]};
  }
  return static_cast<std::uint8_t>(requantize_to(acc, by, {1.0f, stage.zero_point, stage.low, stage.high}));
}

}  // namespace adze::kernels
