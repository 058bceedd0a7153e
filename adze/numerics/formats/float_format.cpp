#include "adze/numerics/formats/float_format.h"

#include <cmath>
#include <limits>

#include "adze/base/error.h"

namespace adze {

namespace {

std::uint64_t low_bits(int count) {
  return (std::uint64_t{1} << count) - 1;
}

}  // namespace

std::uint64_t FloatParameters::largest_code() const {
  const std::uint64_t all = low_bits(exponent_bits + mantissa_bits);
  if (specials == FloatSpecials::Ieee) return all - low_bits(mantissa_bits) - 1;
  return specials == FloatSpecials::Fn ? all - 1 : all;
}

double FloatParameters::largest() const {
  return decode(largest_code());
}

double FloatParameters::smallest_normal() const {
  return std::ldexp(1.0, 1 - bias);
}

double FloatParameters::smallest() const {
  return std::ldexp(1.0, 1 - bias - mantissa_bits);
}

std::uint64_t FloatParameters::nan_code() const {
  const std::uint64_t all = low_bits(exponent_bits + mantissa_bits);
  if (specials == FloatSpecials::Fnuz) return all + 1;
  if (specials == FloatSpecials::Fn) return all;
  const std::uint64_t quiet = mantissa_bits > 0 ? std::uint64_t{1} << (mantissa_bits - 1) : 0;
  return (low_bits(exponent_bits) << mantissa_bits) | quiet;
}

double FloatParameters::decode(std::uint64_t code) const {
  const std::uint64_t sign_bit = low_bits(exponent_bits + mantissa_bits) + 1;
  const std::uint64_t magnitude = code & (sign_bit - 1);
  const bool negative = (code & sign_bit) != 0;
  if (specials == FloatSpecials::Fnuz && negative && magnitude == 0) return std::numeric_limits<double>::quiet_NaN();
  if (magnitude > largest_code()) {
    const bool infinite = specials == FloatSpecials::Ieee && (magnitude & low_bits(mantissa_bits)) == 0;
    const double special =
        infinite ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
    return negative ? -special : special;
  }
  const auto exponent = static_cast<int>(magnitude >> mantissa_bits);
  const std::uint64_t mantissa = magnitude & low_bits(mantissa_bits);
  const std::uint64_t digits = exponent == 0 ? mantissa : mantissa | (std::uint64_t{1} << mantissa_bits);
  const double value = std::ldexp(static_cast<double>(digits), std::max(exponent, 1) - bias - mantissa_bits);
  return negative ? -value : value;
}

std::uint64_t FloatParameters::encode(double value, Rounding rounding) const {
  const std::uint64_t sign_bit = low_bits(exponent_bits + mantissa_bits) + 1;
  if (std::isnan(value)) {
    if (specials == FloatSpecials::Finite) throw ModelError("NaN has no code in a float without NaN");
    return nan_code() | (std::signbit(value) && specials != FloatSpecials::Fnuz ? sign_bit : 0);
  }
  const std::uint64_t sign = std::signbit(value) ? sign_bit : 0;
  const double magnitude = std::abs(value);
  std::uint64_t code = largest_code() + 1;
  if (!std::isinf(magnitude)) {
    int exponent = 0;
    std::frexp(magnitude, &exponent);  // magnitude = m · 2^exponent, m in [0.5, 1)
    const int lowest = 1 - bias;
    const int binade = magnitude == 0 ? lowest : std::max(exponent - 1, lowest);
    const double digits = std::ldexp(magnitude, mantissa_bits - binade);  // exact: a power of two
    double whole = std::nearbyint(digits);
    if (rounding.random != nullptr) {
      whole = std::floor(digits);
      if (rounding.random->uniform() < digits - whole) whole += 1;
    }
    code = (static_cast<std::uint64_t>(binade - lowest) << mantissa_bits) + static_cast<std::uint64_t>(whole);
    // Stochastic rounding would make infinities of values within the range.
    if (rounding.random != nullptr && magnitude <= largest()) code = std::min(code, largest_code());
  }
  if (code > largest_code()) {
    if (saturate) return sign | largest_code();
    if (specials == FloatSpecials::Ieee) return sign | (low_bits(exponent_bits) << mantissa_bits);
    if (specials == FloatSpecials::Finite) return sign | largest_code();
    return specials == FloatSpecials::Fnuz ? nan_code() : sign | nan_code();
  }
  return code == 0 && specials == FloatSpecials::Fnuz ? 0 : sign | code;
}

FloatNumberFormat::FloatNumberFormat(Facts facts, FloatParameters parameters)
    : NumberFormat(std::move(facts)), parameters_(parameters) {}

FormatParameters FloatNumberFormat::fit(std::span<const float> values, const FitOptions& options) const {
  check_finite(values, name());
  const double largest = largest_magnitude(values);
  if (bits() >= 16 || largest == 0) return {1.0};
  const FormatParameters fitted = {largest / parameters_.largest()};
  return options.search ? searched(values, options, fitted) : fitted;
}

std::uint64_t FloatNumberFormat::encode(double value, const FormatParameters& parameters, Rounding rounding) const {
  if (std::isnan(value) && parameters_.specials == FloatSpecials::Finite) refuse_nan();
  return parameters_.encode(value / parameters[0], rounding);
}

double FloatNumberFormat::decode(std::uint64_t code, const FormatParameters& parameters) const {
  check_code(code);
  return parameters_.decode(code) * parameters[0];
}

std::vector<CodeTable::Entry> float_entries(const FloatParameters& parameters) {
  std::vector<CodeTable::Entry> entries;
  for (std::uint32_t code = 0; code >> parameters.bits() == 0; ++code) {
    const double value = parameters.decode(code);
    if (!std::isnan(value)) entries.push_back({value, code});
  }
  return entries;
}

}  // namespace adze
