#pragma once

#include "adze/numerics/formats/code_table.h"

namespace adze {

/// Which codes of a parametric float are not numbers.
enum class FloatSpecials : std::uint8_t {
  Ieee,    ///< the highest exponent holds infinities and NaNs
  Fn,      ///< "finite": only the pattern of all ones is a NaN, of either sign
  Fnuz,    ///< no minus zero; the pattern of minus zero is the only NaN
  Finite,  ///< every code is a number
};

/// A binary floating-point format with a sign, described by its parameters.
///
/// Value  (-1)^sign · 2^(exponent - bias) · 1.mantissa, subnormals at exponent 0
struct FloatParameters {
  int exponent_bits;  ///< 1 to 11
  int mantissa_bits;  ///< 0 to 52
  int bias;
  FloatSpecials specials;
  bool saturate;  ///< what is too large becomes the largest finite value; otherwise infinite, or NaN without infinities

  int bits() const { return 1 + exponent_bits + mantissa_bits; }
  /// The code of the largest finite value.
  std::uint64_t largest_code() const;
  double largest() const;
  double smallest_normal() const;
  double smallest() const;  ///< the smallest positive value
  double decode(std::uint64_t code) const;
  /// NaN throws ModelError when there is none (specials == Finite).
  std::uint64_t encode(double value, Rounding rounding = {}) const;

 private:
  std::uint64_t nan_code() const;
};

/// A parametric float as a format. fit() gives scale 1 to formats of 16 bits and more, which have the range for it, and
/// the scale that brings the largest magnitude to the largest value to smaller ones.
class FloatNumberFormat : public NumberFormat {
 public:
  FloatNumberFormat(Facts facts, FloatParameters parameters);

  const FloatParameters& parameters() const { return parameters_; }
  FormatParameters fit(std::span<const float> values, const FitOptions& options) const override;
  FormatParameters unit() const override { return {1.0}; }
  std::uint64_t encode(double value, const FormatParameters& parameters, Rounding rounding) const override;
  double decode(std::uint64_t code, const FormatParameters& parameters) const override;

 private:
  FloatParameters parameters_;
};

/// The values of a float of at most 16 bits with their codes, without those of NaN.
std::vector<CodeTable::Entry> float_entries(const FloatParameters& parameters);

}  // namespace adze
