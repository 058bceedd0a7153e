#pragma once

#include <cstdint>

namespace adze::kernels {

/// The tail of an integer kernel, one entry a column: y = clamp(zero_point + requantize(acc), low, high), as
/// numerics/requantize.h says. Arrays hold a multiple of 16 entries. Plain data, for instruction-set files.
struct OutputStage {
  enum Profile : std::int32_t { Tflm, Litert, Onnx };
  std::int32_t profile;
  std::int32_t zero_point, low, high;
  const std::int32_t* bias;        ///< what the accumulators begin with
  const std::int32_t* multiplier;  ///< tflm, litert: in [2^30, 2^31) or 0
  const std::int32_t* shift;       ///< tflm, litert: in [-31, 30], positive to the left
  const float* scale;              ///< onnx
  bool scales_below_one = false;   ///< onnx: acc × scale then fits 32 bits whatever acc is
};

}  // namespace adze::kernels
