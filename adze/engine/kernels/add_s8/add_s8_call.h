#pragma once

#include <cstdint>

#include "adze/engine/kernels/output_stage.h"

namespace adze::kernels {

/// y[i] = finish(left(a[i]) + right(b[i])) of count bytes; y may be a or b.
///
/// tflm, litert  left and right are tables of 32-bit fixed-point numbers, the sum is requantized
/// onnx          left and right are tables of float32, the sum is divided by the output scale (stage.scale[0]) and
///               rounded half to even
/// Tables have 256 entries, for the byte as unsigned. Entry 0 of the stage's arrays holds for all, 16 times.
struct AddS8Call {
  const std::uint8_t* a;
  const std::uint8_t* b;
  std::uint8_t* y;
  std::int64_t count;
  const void* left;
  const void* right;
  const OutputStage* stage;
};

}  // namespace adze::kernels
