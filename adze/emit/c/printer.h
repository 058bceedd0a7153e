#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace adze::emit {

/// C source text with indentation.
class Printer {
 public:
  void line(std::string_view text = {});
  /// "text {" and what follows one step further in, until close().
  void open(std::string_view text);
  void close(std::string_view after = {});
  /// static const TYPE name[count] = {…};
  void array(std::string_view type, std::string_view name, std::span<const std::int8_t> values);
  void array(std::string_view type, std::string_view name, std::span<const std::int16_t> values);
  void array(std::string_view type, std::string_view name, std::span<const std::int32_t> values);
  void array(std::string_view type, std::string_view name, std::span<const std::uint32_t> values);
  void array(std::string_view type, std::string_view name, std::span<const float> values);
  const std::string& text() const { return text_; }

 private:
  template <typename T>
  void array_of(std::string_view type, std::string_view name, std::span<const T> values);

  std::string text_;
  int depth_ = 0;
};

/// A number as a C constant of its type.
std::string constant_text(std::int32_t value);
std::string constant_text(std::uint32_t value);
std::string constant_text(float value);

/// text as part of a C identifier.
std::string identifier(std::string_view text);

}  // namespace adze::emit
