#include "adze/engine/kernels/quantize_f32/quantize_f32_call.h"

namespace adze::kernels {
namespace {

/// Rounds half to even by adding and subtracting 1.5 * 2^23: exact for what has been clamped to a byte's range.
std::int32_t round_small(float value) {
  constexpr float magic = 12582912.0f;
  return static_cast<std::int32_t>((value + magic) - magic);
}

}  // namespace

void quantize_f32_ref(const QuantizeF32Call& call, const float* real, std::uint8_t* quantized) {
  const auto low = static_cast<float>(call.low - call.zero_point);
  const auto high = static_cast<float>(call.high - call.zero_point);
  for (std::int64_t i = 0; i < call.count; ++i) {
    float scaled = real[i] / call.scale;
    if (scaled != scaled) scaled = 0.0f;
    scaled = scaled < low ? low : scaled > high ? high : scaled;
    quantized[i] = static_cast<std::uint8_t>(round_small(scaled) + call.zero_point) ^ call.flip;
  }
}

void dequantize_f32_ref(const QuantizeF32Call& call, const std::uint8_t* quantized, float* real) {
  for (std::int64_t i = 0; i < call.count; ++i) {
    real[i] = static_cast<float>((quantized[i] ^ call.flip) - call.zero_point) * call.scale;
  }
}

RangeF32 range_f32_ref(const float* x, std::int64_t count) {
  RangeF32 range;
  for (std::int64_t i = 0; i < count; ++i) {
    range.low = x[i] < range.low ? x[i] : range.low;
    range.high = x[i] > range.high ? x[i] : range.high;
  }
  return range;
}

}  // namespace adze::kernels
