#include "adze/emit/c/printer.h"

#include <cmath>
#include <limits>

#include "adze/base/text.h"

namespace adze::emit {

void Printer::line(std::string_view text) {
  if (!text.empty()) text_.append(static_cast<std::size_t>(2 * depth_), ' ');
  text_ += text;
  text_ += '\n';
}

void Printer::open(std::string_view text) {
  line(cat(text, " {"));
  ++depth_;
}

void Printer::close(std::string_view after) {
  --depth_;
  line(cat("}", after));
}

std::string constant_text(std::int32_t value) {
  if (value == std::numeric_limits<std::int32_t>::min()) return "(-2147483647 - 1)";
  return cat(value);
}

std::string constant_text(std::uint32_t value) {
  return cat(value, "u");
}

std::string constant_text(float value) {
  if (std::isnan(value)) return "NAN";
  if (std::isinf(value)) return value > 0 ? "INFINITY" : "(-INFINITY)";
  std::string text = cat(value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text + "f";
}

namespace {

std::string element_text(std::int8_t value) {
  return cat(static_cast<int>(value));
}
std::string element_text(std::int16_t value) {
  return cat(static_cast<int>(value));
}
template <typename T>
std::string element_text(T value) {
  return constant_text(value);
}

}  // namespace

template <typename T>
void Printer::array_of(std::string_view type, std::string_view name, std::span<const T> values) {
  constexpr std::size_t width = 118;
  text_ += cat("static const ", type, " ", name, "[", values.size(), "] = {");
  std::size_t column = width;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string element = element_text(values[i]);
    if (column + element.size() + 2 > width) {
      text_ += "\n  ";
      column = 2;
    }
    text_ += element;
    text_ += ',';
    column += element.size() + 1;
  }
  text_ += "\n};\n";
}

void Printer::array(std::string_view type, std::string_view name, std::span<const std::int8_t> values) {
  array_of(type, name, values);
}
void Printer::array(std::string_view type, std::string_view name, std::span<const std::int16_t> values) {
  array_of(type, name, values);
}
void Printer::array(std::string_view type, std::string_view name, std::span<const std::int32_t> values) {
  array_of(type, name, values);
}
void Printer::array(std::string_view type, std::string_view name, std::span<const std::uint32_t> values) {
  array_of(type, name, values);
}
void Printer::array(std::string_view type, std::string_view name, std::span<const float> values) {
  array_of(type, name, values);
}

std::string identifier(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter) {
      result += c;
    } else if (!result.empty() && result.back() != '_') {
      result += '_';
    }
  }
  while (!result.empty() && result.back() == '_') result.pop_back();
  return result.empty() ? "layer" : result;
}

}  // namespace adze::emit
