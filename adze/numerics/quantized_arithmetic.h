#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "adze/numerics/requantize.h"

namespace adze {

/// Scale and zero point of u8 numbers that span [low, high], zero included, as ONNX DynamicQuantizeLinear has them.
/// Scale 1 where there is no range.
struct DynamicU8 {
  float scale;
  std::uint8_t zero_point;
};
DynamicU8 dynamic_u8(float low, float high);

/// a + b (or a - b) of two quantized numbers.
///
/// tflm, litert  both inputs are brought to twice the larger scale with 20 fractional bits, added, and rescaled
///               (TFLite int8 ADD): y = y_zp + M_y(M_a((a - a_zp) << 20) ± M_b((b - b_zp) << 20))
/// onnx          float32: y = y_zp + rint(((a - a_zp) * a_scale ± (b - b_zp) * b_scale) / y_scale)
/// fraction_bits: 20 for operands of 8 bits, 15 for 16 bits.
class QuantizedAdd {
 public:
  QuantizedAdd(RoundingProfile profile, const Affine& a, const Affine& b, const Affine& y, bool subtract = false,
               int fraction_bits = 20);
  std::int32_t operator()(std::int32_t a, std::int32_t b) const;

 private:
  RoundingProfile profile_;
  Affine a_, b_, y_;
  RequantizeParameters by_a_, by_b_, by_y_;
  bool subtract_;
  std::int32_t unit_;
};

/// a × b of two quantized numbers.
///
/// tflm, litert  y = y_zp + M((a - a_zp) * (b - b_zp)), M = a_scale * b_scale / y_scale
/// onnx          float32: y = y_zp + rint(((a - a_zp) * a_scale * ((b - b_zp) * b_scale)) / y_scale)
class QuantizedMul {
 public:
  QuantizedMul(RoundingProfile profile, const Affine& a, const Affine& b, const Affine& y);
  std::int32_t operator()(std::int32_t a, std::int32_t b) const;

 private:
  RoundingProfile profile_;
  Affine a_, b_, y_;
  RequantizeParameters by_;
};

/// The mean of count quantized numbers whose sum of (x - x_zp) is given. |sum| < 2^31.
///
/// pool, same scale and zero point, tflm and litert   integer mean of the raw values, ties away from zero (TFLite
///                                                    AVERAGE_POOL_2D): r = sum + count * x_zp; y = (r ± count / 2) /
///                                                    count
/// reduction (pool = false), tflm and litert          M = x_scale / y_scale in fixed point, divided by count as
/// integers
///                                                    (TFLite MEAN); a pool of unequal scales too
/// onnx                                               y = y_zp + rint((float(sum) * x_scale / count) / y_scale),
/// float32
class QuantizedMean {
 public:
  QuantizedMean(RoundingProfile profile, const Affine& x, const Affine& y, bool pool);
  std::int32_t operator()(std::int32_t sum, std::int64_t count) const;

 private:
  RoundingProfile profile_;
  Affine x_, y_;
  FixedMultiplier by_;
  bool integer_mean_;
};

/// Softmax of one row of quantized numbers.
///
/// tflm with y_scale = 1/256 and y_zero_point = the dtype's minimum: gemmlowp's fixed-point exp and reciprocal
///   (TFLite-Micro SOFTMAX int8).
/// Otherwise: e[d] = round(exp(-x_scale * d) * 2^30) for d = max - x, sum in 64 bits,
///   y = clamp(y_zp + rint(double(e) / double(sum) / y_scale)).
class QuantizedSoftmax {
 public:
  QuantizedSoftmax(RoundingProfile profile, const Affine& x, const Affine& y);
  /// values and results: quantized numbers (s8 or u8 widened), of equal length, step elements apart.
  void operator()(std::span<const std::int32_t> values, std::span<std::int32_t> results) const;
  /// What each difference from the largest value counts, where the results are shares of their sum computed in double
  /// precision; nothing where TFLite-Micro's fixed-point arithmetic applies.
  std::span<const std::uint32_t> exponentials() const {
    return fixed_ ? std::span<const std::uint32_t>() : std::span<const std::uint32_t>(exponentials_);
  }

 private:
  void run_fixed(std::span<const std::int32_t> values, std::int32_t largest, std::span<std::int32_t> results) const;

  Affine x_, y_;
  bool fixed_ = false;
  FixedMultiplier by_;
  std::int32_t least_difference_ = 0;
  std::array<std::uint32_t, 256> exponentials_{};
};

}  // namespace adze
