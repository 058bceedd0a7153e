#pragma once

#include "adze/numerics/formats/format.h"

namespace adze {

/// Integers in [low, high] times a scale: value = scale · (integer - zero point). Parameters {scale, zero point}.
/// Codes are the low bits of the two's complement.
///
/// Source  Jacob et al., Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference,
///         2018; scales fitted to the largest magnitude, or to the range where there is a zero point
class IntegerFormat : public NumberFormat {
 public:
  IntegerFormat(Facts facts, std::int64_t low, std::int64_t high, bool has_zero_point);

  std::int64_t low() const { return low_; }
  std::int64_t high() const { return high_; }
  bool has_zero_point() const { return has_zero_point_; }
  FormatParameters fit(std::span<const float> values, const FitOptions& options) const override;
  FormatParameters unit() const override { return {1.0, 0.0}; }
  std::uint64_t encode(double value, const FormatParameters& parameters, Rounding rounding) const override;
  double decode(std::uint64_t code, const FormatParameters& parameters) const override;

 private:
  FormatParameters fit_range(std::span<const float> values) const;

  std::int64_t low_, high_;
  bool has_zero_point_;
};

/// A real number to an integer: to nearest even, or stochastically.
double round_to_integer(double value, Rounding rounding);

}  // namespace adze
