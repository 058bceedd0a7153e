#include "adze/numerics/float_formats.h"

namespace adze {

namespace {

std::uint32_t sign_bit(FloatFormat format) {
  return 1u << (format.exponent_bits + format.mantissa_bits);
}
std::uint32_t exponent_mask(FloatFormat format) {
  return (1u << format.exponent_bits) - 1;
}
std::uint32_t mantissa_mask(FloatFormat format) {
  return (1u << format.mantissa_bits) - 1;
}

std::uint32_t largest_code(FloatFormat format) {
  const std::uint32_t all = sign_bit(format) - 1;
  if (format.has_infinity) return all - mantissa_mask(format) - 1;
  return format.unsigned_zero ? all : all - 1;
}

std::uint32_t nan_code(FloatFormat format) {
  if (format.unsigned_zero) return sign_bit(format);
  if (!format.has_infinity) return sign_bit(format) - 1;
  return (exponent_mask(format) << format.mantissa_bits) | (1u << (format.mantissa_bits - 1));
}

}  // namespace

float decode_float(FloatFormat format, std::uint32_t code) {
  const std::uint32_t magnitude = code & (sign_bit(format) - 1);
  const bool negative = (code & sign_bit(format)) != 0;
  if (format.unsigned_zero && code == sign_bit(format)) return std::numeric_limits<float>::quiet_NaN();
  if (magnitude > largest_code(format)) {
    const bool infinite = format.has_infinity && (magnitude & mantissa_mask(format)) == 0;
    if (!infinite) return std::numeric_limits<float>::quiet_NaN();
    return negative ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::infinity();
  }
  const std::uint32_t exponent = magnitude >> format.mantissa_bits;
  const std::uint32_t mantissa = magnitude & mantissa_mask(format);
  const int scale = static_cast<int>(exponent == 0 ? 1 : exponent) - format.bias - format.mantissa_bits;
  const std::uint32_t digits = exponent == 0 ? mantissa : mantissa | (1u << format.mantissa_bits);
  const float value = std::ldexp(static_cast<float>(digits), scale);
  return negative ? -value : value;
}

std::uint32_t encode_float(FloatFormat format, float value, Overflow overflow) {
  if (std::isnan(value))
    return nan_code(format) | (std::signbit(value) && !format.unsigned_zero ? sign_bit(format) : 0);
  const std::uint32_t sign = std::signbit(value) ? sign_bit(format) : 0;
  const auto out_of_range = [&]() -> std::uint32_t {
    if (overflow == Overflow::Saturate) return sign | largest_code(format);
    if (overflow == Overflow::ToInfinity && format.has_infinity) {
      return sign | (exponent_mask(format) << format.mantissa_bits);
    }
    return format.unsigned_zero ? nan_code(format) : sign | nan_code(format);
  };
  if (std::isinf(value)) return out_of_range();
  const double magnitude = std::abs(static_cast<double>(value));
  if (magnitude == 0) return format.unsigned_zero ? 0 : sign;
  int exponent = 0;
  std::frexp(magnitude, &exponent);  // magnitude = m × 2^exponent, m in [0.5, 1)
  const int lowest = 1 - format.bias;
  const int unit = std::max(exponent - 1, lowest) - format.mantissa_bits;
  // nearbyint rounds ties to even in the default mode; ldexp by powers of two is exact in double.
  const auto digits = static_cast<std::uint64_t>(std::nearbyint(std::ldexp(magnitude, -unit)));
  const std::int64_t field = std::max(exponent - 1, lowest) - lowest;
  const std::uint64_t code = (static_cast<std::uint64_t>(field) << format.mantissa_bits) + digits;
  if (code > largest_code(format)) return out_of_range();
  if (code == 0 && format.unsigned_zero) return 0;
  return sign | static_cast<std::uint32_t>(code);
}

float max_finite(FloatFormat format) {
  return decode_float(format, largest_code(format));
}

}  // namespace adze
