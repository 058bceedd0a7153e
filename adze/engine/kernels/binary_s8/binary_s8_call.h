#pragma once

#include <cstdint>

#include "adze/engine/kernels/output_stage.h"

namespace adze::kernels {

/// A sum, or a product with few different second operands, as integer lines: with x and z the stored bytes as signed
/// numbers from the middle of their range,
///
///   t = offset + a_weight x + b_weight z    sums of two tensors
///   t = offset(b) + weight(b) x             any b that is repeated, by tables
///   y = y_zero_point + (t >> shift)
///
/// is what is asked for wherever one of near_tie's bits is set in t; the rest lies so close to the middle between two
/// numbers that only the defined formula knows its side. Weights are pairs of s16, the lower for x + 128, the upper for
/// 256 x; offsets make up for the 128.
struct LinesS8 {
  std::int32_t shift = 0;  ///< 0: cannot be used
  std::int32_t near_tie = 0;
  std::int32_t a_weight = 0, b_weight = 0, offset = 0;
  const std::int32_t* by_byte = nullptr;  ///< weight(b) of the 256 stored bytes, then offset(b)
  bool exact = false;                     ///< every pair of bytes was tried: near_tie need not be asked
};

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
  LinesS8 lines;
  std::uint8_t* y;
};

}  // namespace adze::kernels
