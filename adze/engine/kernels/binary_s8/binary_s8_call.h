#pragma once

#include <cstdint>

#include "adze/engine/kernels/output_stage.h"

namespace adze::kernels {

/// y[r, i] = a[r, i] op b of rows of count bytes next to each other; y may be a or b. What is computed:
/// numerics/quantized_arithmetic.h, QuantizedAdd and QuantizedMul.
///
/// Bytes are XORed with the operand's flip (0x80 for s8) and then count from its zero point.
///   onnx          float32: real(a) op real(b), divided by y_scale, rounded half to even
///   tflm, litert  sums: both sides shifted left by 20 and scaled by their multipliers; products as they are; then by
///                 entry 0 of the stage's arrays, which hold 16 equal ones
struct BinaryS8Call {
  enum Kind : std::int32_t { Add, Sub, Mul };
  struct Operand {
    const std::uint8_t* bytes;
    std::uint8_t flip;
    std::int32_t zero_point;  ///< of the flipped byte
    float scale;
    std::int32_t multiplier, shift;  ///< tflm, litert, sums
  };
  enum Repeat : std::int32_t {
    None,    ///< b is as large as a
    Row,     ///< one row, the same for all: a gate by channel
    Single,  ///< one byte for all
  };
  Kind kind;
  Operand a, b;
  Repeat repeat;
  std::int64_t rows, count;
  float y_scale;
  const OutputStage* stage;
  std::uint8_t* y;
};

}  // namespace adze::kernels
