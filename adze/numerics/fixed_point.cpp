#include "adze/numerics/fixed_point.h"

namespace adze {

namespace {

constexpr std::int32_t one = std::numeric_limits<std::int32_t>::max();  ///< 1.0 with 0 integer bits, as near as it gets

constexpr std::int32_t multiply(std::int32_t a, std::int32_t b) {
  return saturating_rounding_doubling_high_mul(a, b);
}

/// exp(a) for a in [-1/4, 0) with 0 integer bits: a Taylor polynomial of degree 4 around -1/8.
std::int32_t exp_near_zero(std::int32_t a) {
  constexpr std::int32_t exp_of_minus_eighth = 1895147668;  // round(exp(-1/8) * 2^31)
  constexpr std::int32_t third = 715827883;
  const std::int32_t x = a + (1 << 28);
  const std::int32_t x2 = multiply(x, x);
  const std::int32_t x3 = multiply(x2, x);
  const std::int32_t x4 = multiply(x2, x2);
  const std::int32_t quarter_x4 = rounding_divide_by_pot(x4, 2);
  const std::int32_t higher = rounding_divide_by_pot(multiply(quarter_x4 + x3, third) + x2, 1);
  return exp_of_minus_eighth + multiply(exp_of_minus_eighth, x + higher);
}

/// 1 / ((1 + a) / 2) with 2 integer bits, a in [0, 1): Newton-Raphson from the linear minimax estimate.
std::int32_t reciprocal_of_half_sum(std::int32_t a) {
  constexpr std::int32_t estimate_at_zero = 1515870810;  // 48/17 with 2 integer bits
  constexpr std::int32_t estimate_slope = -1010580540;   // -32/17
  constexpr std::int32_t one_with_2_bits = 1 << 29;
  const std::int64_t sum = std::int64_t{a} + one;
  const auto half_denominator = static_cast<std::int32_t>((sum + (sum >= 0 ? 1 : -1)) / 2);
  std::int32_t x = estimate_at_zero + multiply(half_denominator, estimate_slope);
  for (int step = 0; step < 3; ++step) {
    const std::int32_t error = one_with_2_bits - multiply(half_denominator, x);
    x += saturating_shift_left(multiply(x, error), 2);
  }
  return x;
}

}  // namespace

std::int32_t fixed_exp_on_negative_values(std::int32_t a, int integer_bits) {
  // exp(-2^exponent) with 0 integer bits, exponents -2 … 4.
  constexpr std::int32_t factors[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  if (a == 0) return one;
  const int fractional_bits = 31 - integer_bits;
  const std::int32_t quarter = 1 << (fractional_bits - 2);
  const std::int32_t a_mod_quarter = (a & (quarter - 1)) - quarter;
  std::int32_t result = exp_near_zero(saturating_shift_left(a_mod_quarter, integer_bits));
  const std::int32_t remainder = a_mod_quarter - a;
  for (int exponent = -2; exponent <= 4; ++exponent) {
    if (integer_bits > exponent && (remainder & (1 << (fractional_bits + exponent))) != 0) {
      result = multiply(result, factors[exponent + 2]);
    }
  }
  return result;
}

std::int32_t fixed_one_over_one_plus(std::int32_t a) {
  // Halving the reciprocal of the half sum keeps the raw number and takes one integer bit: 2 bits become 1, then 0.
  return saturating_shift_left(reciprocal_of_half_sum(a), 1);
}

std::int32_t fixed_one_minus_over_one_plus(std::int32_t a) {
  return saturating_shift_left(reciprocal_of_half_sum(a) - (1 << 29), 2);
}

std::int32_t fixed_logistic(std::int32_t a, int integer_bits) {
  if (a == 0) return 1 << 30;
  const std::int32_t of_positive = fixed_one_over_one_plus(fixed_exp_on_negative_values(a > 0 ? -a : a, integer_bits));
  return a > 0 ? of_positive : one - of_positive;
}

std::int32_t fixed_tanh(std::int32_t a, int integer_bits) {
  if (a == 0) return 0;
  const std::int32_t negative = a > 0 ? -a : a;
  // Twice the number: the same raw with one more integer bit.
  const std::int32_t of_positive =
      fixed_one_minus_over_one_plus(fixed_exp_on_negative_values(negative, integer_bits + 1));
  return a > 0 ? of_positive : -of_positive;
}

FixedReciprocal fixed_reciprocal(std::int32_t x, int integer_bits) {
  const int headroom = std::countl_zero(static_cast<std::uint32_t>(x));
  const auto shifted_minus_one = static_cast<std::int32_t>((static_cast<std::uint32_t>(x) << headroom) - (1u << 31));
  return {fixed_one_over_one_plus(shifted_minus_one), integer_bits - headroom};
}

std::int32_t fixed_input_radius(int integer_bits, int left_shift) {
  const double largest =
      static_cast<double>((1 << integer_bits) - 1) * std::exp2(31 - integer_bits) / std::exp2(left_shift);
  return static_cast<std::int32_t>(std::min(std::floor(largest), 2147483647.0));
}

}  // namespace adze
