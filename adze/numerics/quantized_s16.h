#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>

#include "adze/numerics/requantize.h"

namespace adze {

// Arithmetic on 16-bit activations (symmetric: zero point 0), as TFLite's 16x8 scheme defines it.
// Source  tensorflow.org/lite/performance/quantization_16x8; TFLite's reference kernels of int16

/// Sums of 64 bits stay within this bound.
constexpr std::int64_t largest_wide_sum = (std::int64_t{1} << 47) - 1;

/// The multiplier of 64-bit sums: 15 bits of a FixedMultiplier, and by how much the product is shifted to the right.
struct ReducedMultiplier {
  std::int32_t multiplier = 0;
  int shift = 1;  ///< at least 1: reals from 2^14 on count as just below it
};
ReducedMultiplier reduced_multiplier(FixedMultiplier by);

/// acc × multiplier, |acc| <= largest_wide_sum. tflm and litert: rounded once, ties towards plus infinity (TFLite's
/// MultiplyByQuantizedMultiplier of 64 bits). onnx: float32(acc) × scale, half to even.
std::int32_t requantize_wide(std::int64_t acc, const RequantizeParameters& by);
/// clamp(zero_point + acc × multiplier, min, max); acc is brought within its bound first.
std::int32_t requantize_wide_to(std::int64_t acc, const RequantizeParameters& by, const Affine& y);

/// A function of a 16-bit number by 512 straight pieces: entry i belongs to -32768 + 128 i.
using InterpolatedTable = std::array<std::int16_t, 513>;

/// Entries of function(low + i * step), times inverse_scale, each moved by half of the error in the middle of its piece
/// (TFLite's LUTs of int16).
InterpolatedTable interpolated_table(const std::function<double(double)>& function, double low, double step,
                                     double inverse_scale, std::int32_t min, std::int32_t max);
/// Between two entries: rounded, ties upwards.
std::int32_t interpolate(std::span<const std::int16_t> table, std::int32_t value);

/// Softmax of one row of 16-bit numbers by two tables (TFLite SOFTMAX int16): exp over [-10, 0] and 1 / (1 + x) over
/// [0, 1]. The output's scale is 1/32768 there; another one is reached by a multiplication more.
class QuantizedSoftmaxS16 {
 public:
  QuantizedSoftmaxS16(RoundingProfile profile, const Affine& x, const Affine& y);
  void operator()(std::span<const std::int32_t> values, std::span<std::int32_t> results) const;

  const RequantizeParameters& difference() const { return difference_; }
  bool rescales() const { return rescales_; }
  const RequantizeParameters& output() const { return output_; }
  const InterpolatedTable& exponentials() const { return exponentials_; }
  const InterpolatedTable& reciprocals() const { return reciprocals_; }

 private:
  Affine y_;
  RequantizeParameters difference_, output_;
  bool rescales_;
  InterpolatedTable exponentials_, reciprocals_;
};

}  // namespace adze
