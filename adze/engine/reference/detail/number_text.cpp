#include "adze/engine/reference/detail/number_text.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "adze/base/text.h"
#include "adze/engine/reference/detail/elements.h"

namespace adze::reference::detail {

namespace {

double rounded_to(DType dtype, double value) {
  return store<double>(dtype, {}, {value}).get_double(0);
}

/// "d.ddde±xx" with the fewest digits that round to value in dtype.
std::string shortest_scientific(DType dtype, double value) {
  char buffer[64];
  for (int digits = 0; digits < 17; ++digits) {
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific, digits).ptr;
    double back = 0;
    std::from_chars(buffer, end, back);
    if (rounded_to(dtype, back) == value) return std::string(buffer, end);
  }
  return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr);
}

}  // namespace

std::string float_text(DType dtype, double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  std::string text;
  char buffer[400];
  if (dtype == DType::F64) {
    text.assign(buffer, std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr);
  } else if (dtype == DType::F32) {
    const auto narrow = static_cast<float>(value);
    text.assign(buffer, std::to_chars(buffer, buffer + sizeof buffer, narrow, std::chars_format::scientific).ptr);
  } else {
    text = shortest_scientific(dtype, value);
  }
  // NumPy writes magnitudes in [1e-4, 1e16) positionally, with at least one decimal.
  const double magnitude = std::abs(value);
  if (magnitude != 0 && (magnitude < 1e-4 || magnitude >= 1e16)) return text;
  const std::size_t e = text.find('e');
  const int exponent = std::stoi(text.substr(e + 1));
  const std::size_t point = text.find('.');
  const int decimals = point == std::string::npos ? 0 : static_cast<int>(e - point) - 1;
  double short_value = 0;
  std::from_chars(text.data(), text.data() + text.size(), short_value);
  const int fraction = std::max(1, decimals - exponent);
  return std::string(
      buffer, std::to_chars(buffer, buffer + sizeof buffer, short_value, std::chars_format::fixed, fraction).ptr);
}

std::optional<double> parse_number(std::string_view text) {
  text = trim(text);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.front() == '-' || text.front() == '+') return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    // Too large or too small for a double: the exponent's sign tells which.
    const bool tiny = text.find("e-") != std::string_view::npos || text.find("E-") != std::string_view::npos;
    value = tiny ? 0 : std::numeric_limits<double>::infinity();
  } else if (error != std::errc()) {
    return std::nullopt;
  }
  return negative ? -value : value;
}

}  // namespace adze::reference::detail
