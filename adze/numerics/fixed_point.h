#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace adze {

/// Fixed-point arithmetic on 32-bit integers as the TFLite int8 specification and gemmlowp define it.
/// A number with k integer bits is raw / 2^(31 - k).
/// Source  gemmlowp, doc/quantization.md and fixedpoint; Jacob et al., arXiv:1712.05877, section 2.2

/// round(a * b / 2^31), ties away from zero; saturates for a = b = -2^31.
constexpr std::int32_t saturating_rounding_doubling_high_mul(std::int32_t a, std::int32_t b) {
  constexpr std::int32_t lowest = std::numeric_limits<std::int32_t>::min();
  if (a == lowest && b == lowest) return std::numeric_limits<std::int32_t>::max();
  const std::int64_t product = std::int64_t{a} * b;
  const std::int64_t nudge = product >= 0 ? std::int64_t{1} << 30 : 1 - (std::int64_t{1} << 30);
  return static_cast<std::int32_t>((product + nudge) / (std::int64_t{1} << 31));
}

/// round(x / 2^exponent), ties away from zero; exponent in [0, 31].
constexpr std::int32_t rounding_divide_by_pot(std::int32_t x, int exponent) {
  const std::int64_t mask = (std::int64_t{1} << exponent) - 1;
  const std::int64_t remainder = x & mask;
  const std::int64_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return static_cast<std::int32_t>((std::int64_t{x} >> exponent) + (remainder > threshold ? 1 : 0));
}

/// x * 2^exponent, saturated; exponent in [0, 31].
constexpr std::int32_t saturating_shift_left(std::int32_t x, int exponent) {
  const std::int64_t wide = std::int64_t{x} * (std::int64_t{1} << exponent);
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(wide, std::numeric_limits<std::int32_t>::min(),
                                                            std::numeric_limits<std::int32_t>::max()));
}

/// A positive real as multiplier * 2^(shift - 31), multiplier in [2^30, 2^31) or 0.
struct FixedMultiplier {
  std::int32_t multiplier = 0;
  int shift = 0;  ///< positive: to the left
};

/// The nearest fixed-point multiplier; reals below 2^-31 or so become zero. real must be finite and not negative.
inline FixedMultiplier quantize_multiplier(double real) {
  if (!(real > 0.0)) return {};
  if (!std::isfinite(real)) return {std::numeric_limits<std::int32_t>::max(), 30};
  FixedMultiplier result;
  std::int64_t fixed = std::llround(std::frexp(real, &result.shift) * static_cast<double>(std::int64_t{1} << 31));
  if (fixed == std::int64_t{1} << 31) {
    fixed /= 2;
    ++result.shift;
  }
  if (result.shift < -31) return {};
  if (result.shift > 30) return {std::numeric_limits<std::int32_t>::max(), 30};
  result.multiplier = static_cast<std::int32_t>(fixed);
  return result;
}

/// x * real, rounded twice: the doubling high product first, the right shift second. As TFLite-Micro and CMSIS-NN do;
/// a left shift that overflows 32 bits wraps there and here.
constexpr std::int32_t multiply_rounding_twice(std::int32_t x, FixedMultiplier by) {
  const int left = by.shift > 0 ? by.shift : 0;
  const int right = by.shift > 0 ? 0 : -by.shift;
  const auto shifted = static_cast<std::int32_t>(static_cast<std::uint32_t>(x) << left);
  return rounding_divide_by_pot(saturating_rounding_doubling_high_mul(shifted, by.multiplier), right);
}

/// x * real, rounded once, ties towards plus infinity (TFLITE_SINGLE_ROUNDING); saturated to 32 bits.
constexpr std::int32_t multiply_rounding_once(std::int32_t x, FixedMultiplier by) {
  const int total_shift = 31 - by.shift;
  const std::int64_t half = std::int64_t{1} << (total_shift - 1);
  const std::int64_t result = (std::int64_t{x} * by.multiplier + half) >> total_shift;
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(result, std::numeric_limits<std::int32_t>::min(),
                                                            std::numeric_limits<std::int32_t>::max()));
}

/// exp(a) with 0 integer bits for a <= 0 with integer_bits (at most 5) integer bits.
std::int32_t fixed_exp_on_negative_values(std::int32_t a, int integer_bits);
/// 1 / (1 + a) with 0 integer bits for a in [0, 1) with 0 integer bits: three Newton steps.
std::int32_t fixed_one_over_one_plus(std::int32_t a);
/// (1 - a) / (1 + a), as above.
std::int32_t fixed_one_minus_over_one_plus(std::int32_t a);
/// 1 / (1 + exp(-a)) with 0 integer bits.
std::int32_t fixed_logistic(std::int32_t a, int integer_bits);
/// tanh(a) with 0 integer bits.
std::int32_t fixed_tanh(std::int32_t a, int integer_bits);

/// 1 / x for x > 0 with integer_bits integer bits: raw of a number with 0 integer bits, to be divided by
/// 2^bits_over_unit.
struct FixedReciprocal {
  std::int32_t raw;
  int bits_over_unit;
};
FixedReciprocal fixed_reciprocal(std::int32_t x, int integer_bits);

/// The largest |difference| whose product with a multiplier of this left shift still has integer_bits integer bits.
std::int32_t fixed_input_radius(int integer_bits, int left_shift);

}  // namespace adze
