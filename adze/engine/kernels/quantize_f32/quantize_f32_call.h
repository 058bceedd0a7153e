#pragma once

#include <cstdint>

namespace adze::kernels {

/// ONNX QuantizeLinear and DequantizeLinear of count numbers with one scale.
///
///   quantized[i] = clamp(rint(real[i] / scale) + zero_point, low, high), rounded half to even, NaN as 0
///   real[i] = (quantized[i] - zero_point) * scale
///
/// Bytes are stored XORed with flip (0x80 for s8); zero_point, low and high are those of the flipped byte, 0 … 255.
struct QuantizeF32Call {
  std::int64_t count;
  float scale;
  std::int32_t zero_point, low, high;
  std::uint8_t flip;
};

/// The least and the greatest of some numbers and zero; NaN counts as nothing.
struct RangeF32 {
  float low = 0.0f, high = 0.0f;
};

}  // namespace adze::kernels
