#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace adze {

namespace detail {

inline void append_text(std::string& out, std::string_view text) {
  out += text;
}
inline void append_text(std::string& out, const std::string& text) {
  out += text;
}
inline void append_text(std::string& out, const char* text) {
  out += text;
}
inline void append_text(std::string& out, char c) {
  out += c;
}
inline void append_text(std::string& out, bool value) {
  out += value ? "true" : "false";
}

template <std::integral T>
void append_text(std::string& out, T value) {
  char buffer[24];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

/// The shortest text that reads back as the same number.
template <std::floating_point T>
void append_text(std::string& out, T value) {
  char buffer[64];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

}  // namespace detail

/// Concatenate strings, characters and numbers into one text. Floats print their shortest round-trip form.
template <typename... Parts>
std::string cat(const Parts&... parts) {
  std::string out;
  (detail::append_text(out, parts), ...);
  return out;
}

/// The parts with a separator between them.
std::string join(std::span<const std::string> parts, std::string_view separator);

/// The pieces between separators; "a,,b" gives three. An empty text gives no piece.
std::vector<std::string> split(std::string_view text, char separator);

/// Without leading and trailing white space.
std::string_view trim(std::string_view text);

/// A number with a fixed count of decimals: fixed(1.005, 1) is "1.0".
std::string fixed(double value, int decimals);

/// Bytes with 1024-based units as people read them: "948 B", "307.2 K", "97.7 M".
std::string bytes_text(std::int64_t bytes);

/// A count with 1000-based suffixes: "77.9 k", "12.5 M".
std::string count_text(std::int64_t count);

/// The candidate with the smallest edit distance to word, or "" when none is near.
std::string nearest(std::string_view word, std::span<const std::string> candidates);

/// Text as a quoted JSON-style string with every control character, quote and backslash escaped; safe to print.
std::string quoted(std::string_view text);

/// Does text match the pattern, in which * stands for any text and ? for one character?
bool matches_wildcard(std::string_view pattern, std::string_view text);

}  // namespace adze
