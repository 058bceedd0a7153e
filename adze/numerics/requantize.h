#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>

#include "adze/numerics/fixed_point.h"

namespace adze {

/// How integer operators round. One definition, obeyed by every executor to the byte.
enum class RoundingProfile : std::uint8_t {
  Tflm,    ///< TFLite-Micro and CMSIS-NN: fixed-point multiplier, rounded twice
  Litert,  ///< the same multiplier, rounded once (TFLITE_SINGLE_ROUNDING)
  Onnx,    ///< float32 scale, round half to even, saturate
};

std::string_view rounding_name(RoundingProfile profile);
std::optional<RoundingProfile> rounding_from_name(std::string_view name);

/// An affine quantization of one tensor: real = scale * (q - zero_point), q in [min, max].
struct Affine {
  float scale = 1.0f;
  std::int32_t zero_point = 0;
  std::int32_t min = -128;
  std::int32_t max = 127;
};

/// One real multiplier in the form that its profile applies it.
struct RequantizeParameters {
  RoundingProfile profile = RoundingProfile::Onnx;
  FixedMultiplier fixed;  ///< tflm, litert
  float scale = 1.0f;     ///< onnx
};

/// real_multiplier = input scale (× weight scale) / output scale.
inline RequantizeParameters make_requantize(RoundingProfile profile, double real_multiplier) {
  return {profile, quantize_multiplier(real_multiplier), static_cast<float>(real_multiplier)};
}

/// The multiplier of a convolution or matrix product with one weight scale (per channel or not).
/// tflm and litert: the double product of the three floats. onnx: (x * w) / y in float32, as ONNX Runtime computes it.
inline RequantizeParameters make_product_requantize(RoundingProfile profile, float x_scale, float w_scale,
                                                    float y_scale) {
  const double real = static_cast<double>(x_scale) * static_cast<double>(w_scale) / static_cast<double>(y_scale);
  return {profile, quantize_multiplier(real), x_scale * w_scale / y_scale};
}

/// The multiplier of a fully-connected layer with one weight scale for all channels: tflm and litert multiply the two
/// input scales in float32 first (TFLite's GetQuantizedConvolutionMultipler). With per-channel scales:
/// make_product_requantize.
inline RequantizeParameters make_gemm_requantize(RoundingProfile profile, float x_scale, float w_scale, float y_scale) {
  const double real = static_cast<double>(x_scale * w_scale) / static_cast<double>(y_scale);
  return {profile, quantize_multiplier(real), x_scale * w_scale / y_scale};
}

/// A float rounded half to even into [low, high]; NaN gives low.
inline std::int32_t round_half_even(float value, std::int32_t low, std::int32_t high) {
  if (!(value > static_cast<float>(low))) return low;
  if (value >= static_cast<float>(high)) return high;
  return static_cast<std::int32_t>(std::nearbyintf(value));
}

/// acc × multiplier, not yet shifted by the zero point.
inline std::int32_t requantize(std::int32_t acc, const RequantizeParameters& by) {
  switch (by.profile) {
    case RoundingProfile::Tflm:
      return multiply_rounding_twice(acc, by.fixed);
    case RoundingProfile::Litert:
      return multiply_rounding_once(acc, by.fixed);
    case RoundingProfile::Onnx:
      break;
  }
  constexpr std::int32_t most = 1 << 30;
  return round_half_even(static_cast<float>(acc) * by.scale, -most, most);
}

/// clamp(zero_point + acc × multiplier, min, max): the tail of every integer operator.
inline std::int32_t requantize_to(std::int32_t acc, const RequantizeParameters& by, const Affine& y) {
  const std::int64_t shifted = std::int64_t{requantize(acc, by)} + y.zero_point;
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(shifted, y.min, y.max));
}

}  // namespace adze
