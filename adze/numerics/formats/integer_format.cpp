#include "adze/numerics/formats/integer_format.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "adze/numerics/formats/families.h"

namespace adze {

double round_to_integer(double value, Rounding rounding) {
  if (rounding.random == nullptr) return std::nearbyint(value);
  const double below = std::floor(value);
  return below + (rounding.random->uniform() < value - below ? 1.0 : 0.0);
}

IntegerFormat::IntegerFormat(Facts facts, std::int64_t low, std::int64_t high, bool has_zero_point)
    : NumberFormat(std::move(facts)), low_(low), high_(high), has_zero_point_(has_zero_point) {}

FormatParameters IntegerFormat::fit_range(std::span<const float> values) const {
  double least = 0;
  double most = 0;
  for (const float value : values) {
    least = std::min<double>(least, value);
    most = std::max<double>(most, value);
  }
  if (least == most) return {1.0, 0.0};
  if (has_zero_point_) {
    const double scale = (most - least) / static_cast<double>(high_ - low_);
    const double zero = std::nearbyint(static_cast<double>(low_) - least / scale);
    return {scale, std::clamp(zero, static_cast<double>(low_), static_cast<double>(high_))};
  }
  const double below = low_ < 0 ? least / static_cast<double>(low_) : 0;
  return {std::max(below, most / static_cast<double>(high_)), 0.0};
}

FormatParameters IntegerFormat::fit(std::span<const float> values, const FitOptions& options) const {
  check_finite(values, name());
  const FormatParameters fitted = fit_range(values);
  return options.search ? searched(values, options, fitted) : fitted;
}

std::uint64_t IntegerFormat::encode(double value, const FormatParameters& parameters, Rounding rounding) const {
  if (std::isnan(value)) refuse_nan();
  const double integer = round_to_integer(value / parameters[0], rounding) + parameters[1];
  const double held = std::clamp(integer, static_cast<double>(low_), static_cast<double>(high_));
  const std::uint64_t mask = (std::uint64_t{1} << bits()) - 1;
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(held)) & mask;
}

double IntegerFormat::decode(std::uint64_t code, const FormatParameters& parameters) const {
  check_code(code);
  auto integer = static_cast<std::int64_t>(code);
  if (low_ < 0 && (code >> (bits() - 1)) != 0) integer -= std::int64_t{1} << bits();
  if (integer < low_) return std::numeric_limits<double>::quiet_NaN();
  return parameters[0] * (static_cast<double>(integer) - parameters[1]);
}

/// "int4" -8…7, "int4sym" -7…7, "int4asym" -8…7 and a zero point, "uint4" 0…15 and a zero point.
std::shared_ptr<const NumberFormat> parse_integer_format(std::string_view name) {
  std::string_view rest = name;
  const bool is_unsigned = take_prefix(rest, "u");
  int bits = 0;
  if (!take_prefix(rest, "int") || !take_number(rest, bits)) return nullptr;
  const bool symmetric = !is_unsigned && rest == "sym";
  const bool shifted = is_unsigned || rest == "asym";
  if (!rest.empty() && !symmetric && !(shifted && !is_unsigned)) return nullptr;
  check_format_number(name, "bits", bits, 2, 16);
  const std::int64_t half = std::int64_t{1} << (bits - 1);
  NumberFormat::Facts facts{
      std::string(name),        "integer", "Jacob et al., Quantization and Training of Neural Networks, 2018", bits, 0,
      shifted ? 32 + bits : 32, symmetric};
  if (is_unsigned) return std::make_shared<IntegerFormat>(std::move(facts), 0, 2 * half - 1, true);
  return std::make_shared<IntegerFormat>(std::move(facts), symmetric ? 1 - half : -half, half - 1, shifted);
}

}  // namespace adze
