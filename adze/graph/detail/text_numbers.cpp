#include "adze/graph/detail/text_numbers.h"

#include <bit>
#include <charconv>
#include <limits>
#include <optional>
#include <vector>

#include "adze/base/text.h"

namespace adze::detail {

namespace {

template <typename T>
T to_float(const Token& token) {
  if (token.text == "inf") return std::numeric_limits<T>::infinity();
  if (token.text == "-inf") return -std::numeric_limits<T>::infinity();
  T value = 0;
  const char* end = token.text.data() + token.text.size();
  const auto result = std::from_chars(token.text.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end) Lexer::fail(token, cat("not a number: ", quoted(token.text)));
  return value;
}

std::uint64_t to_bits(const Token& token, int width) {
  std::uint64_t bits = 0;
  const char* begin = token.text.data();
  const char* end = begin + token.text.size();
  const bool has_prefix = token.text.starts_with("0x");
  const auto result = std::from_chars(begin + (has_prefix ? 2 : 0), end, bits, 16);
  if (!has_prefix || result.ec != std::errc() || result.ptr != end || (width < 64 && bits >> width != 0)) {
    Lexer::fail(token, cat("not the bits of a ", width, "-bit float: ", quoted(token.text)));
  }
  return bits;
}

std::vector<std::byte> from_base64(const Token& token) {
  const auto digit = [&](char c) -> unsigned {
    if (c >= 'A' && c <= 'Z') return static_cast<unsigned>(c - 'A');
    if (c >= 'a' && c <= 'z') return static_cast<unsigned>(c - 'a') + 26;
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0') + 52;
    if (c == '+') return 62;
    if (c == '/') return 63;
    Lexer::fail(token, "not base64");
  };
  std::string_view text = token.text;
  if (text.size() % 4 != 0) Lexer::fail(token, "base64 comes in groups of four");
  std::size_t padding = 0;
  while (padding < 2 && !text.empty() && text.ends_with('=')) {
    text.remove_suffix(1);
    ++padding;
  }
  std::vector<std::byte> bytes;
  bytes.reserve(text.size() * 3 / 4);
  unsigned group = 0;
  int bits = 0;
  for (const char c : text) {
    group = group << 6 | digit(c);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push_back(static_cast<std::byte>(group >> bits & 0xFF));
    }
  }
  return bytes;
}

/// A number, inf, true or false as written.
Token parse_scalar(Lexer& lexer) {
  const Token& next = lexer.peek();
  if (next.kind != Token::Kind::Number && next.kind != Token::Kind::Word) lexer.fail_expected("a number");
  return lexer.take();
}

/// nan(0x…): the bits. Nothing when something else comes.
std::optional<std::uint64_t> parse_nan(Lexer& lexer, int width) {
  if (!lexer.peek().is_word("nan")) return std::nullopt;
  lexer.take();
  lexer.expect('(');
  const std::uint64_t bits = to_bits(lexer.expect(Token::Kind::Number, "hexadecimal bits"), width);
  lexer.expect(')');
  return bits;
}

Tensor parse_base64(Lexer& lexer, DType dtype, const Shape& shape) {
  lexer.take();
  const Token token = lexer.expect(Token::Kind::String, "a quoted text");
  if (dtype == DType::String) Lexer::fail(token, "strings are not stored as base64");
  auto bytes = std::make_shared<std::vector<std::byte>>(from_base64(token));
  try {
    return Tensor::view(dtype, shape, bytes, *bytes);
  } catch (const ModelError& error) {
    Lexer::fail(token, error.message());
  }
}

void set_element(Tensor& tensor, std::int64_t index, const Token& token, std::optional<std::uint64_t> nan) {
  const auto i = static_cast<std::size_t>(index);
  if (nan) {
    const auto width = static_cast<std::size_t>(dtype_bits(tensor.dtype())) / 8;
    const auto bytes = tensor.mutable_bytes();
    for (std::size_t b = 0; b < width; ++b) bytes[i * width + b] = static_cast<std::byte>(*nan >> 8 * b & 0xFF);
    return;
  }
  switch (tensor.dtype()) {
    case DType::String:
      tensor.mutable_data<std::string>()[i] = token.text;
      return;
    case DType::Bool:
      if (token.text != "true" && token.text != "false") Lexer::fail(token, "expected true or false");
      tensor.mutable_data<bool>()[i] = token.text == "true";
      return;
    case DType::F64:
      tensor.mutable_data<double>()[i] = to_float<double>(token);
      return;
    case DType::U64: {
      std::uint64_t value = 0;
      const auto result = std::from_chars(token.text.data(), token.text.data() + token.text.size(), value);
      if (result.ec != std::errc() || result.ptr != token.text.data() + token.text.size()) {
        Lexer::fail(token, cat("not an integer: ", quoted(token.text)));
      }
      tensor.mutable_data<std::uint64_t>()[i] = value;
      return;
    }
    case DType::C64:
    case DType::C128:
      Lexer::fail(token, "complex constants are stored as base64");
    default:
      break;
  }
  if (is_float(tensor.dtype())) return tensor.set_double(index, to_float<float>(token));
  const std::int64_t value = to_int(token);
  const bool fits =
      tensor.dtype() == DType::S64 || (value >= integer_min(tensor.dtype()) && value <= integer_max(tensor.dtype()));
  if (!fits) Lexer::fail(token, cat(value, " does not fit ", dtype_name(tensor.dtype())));
  tensor.set_int(index, value);
}

/// Elements first, the tensor after them, so that memory stays bounded by the text.
Tensor parse_elements(Lexer& lexer, DType dtype, const Shape& shape, std::int64_t count) {
  struct Element {
    Token token;
    std::optional<std::uint64_t> nan_bits;
  };
  std::vector<Element> elements;
  const Token start = lexer.peek();
  lexer.expect('[');
  while (!lexer.accept(']')) {
    if (!elements.empty()) lexer.expect(',');
    Element element;
    if (is_float(dtype)) element.nan_bits = parse_nan(lexer, dtype_bits(dtype));
    if (!element.nan_bits)
      element.token = dtype == DType::String ? lexer.expect(Token::Kind::String, "a quoted text") : parse_scalar(lexer);
    elements.push_back(std::move(element));
  }
  if (std::ssize(elements) != count) {
    Lexer::fail(start, cat("shape ", shape_text(shape), " needs ", count, " elements, found ", elements.size()));
  }
  Tensor tensor(dtype, shape);
  for (std::int64_t i = 0; i < count; ++i) {
    const Element& element = elements[static_cast<std::size_t>(i)];
    set_element(tensor, i, element.token, element.nan_bits);
  }
  return tensor;
}

}  // namespace

std::int64_t to_int(const Token& token) {
  std::int64_t value = 0;
  const char* end = token.text.data() + token.text.size();
  const auto result = std::from_chars(token.text.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end) Lexer::fail(token, cat("not an integer: ", quoted(token.text)));
  return value;
}

std::int64_t parse_int(Lexer& lexer) {
  return to_int(parse_scalar(lexer));
}

float parse_float(Lexer& lexer) {
  if (const auto bits = parse_nan(lexer, 32)) return std::bit_cast<float>(static_cast<std::uint32_t>(*bits));
  return to_float<float>(parse_scalar(lexer));
}

Tensor parse_tensor_data(Lexer& lexer, DType dtype, const Shape& shape, std::int64_t count) {
  if (lexer.peek().is_word("base64")) return parse_base64(lexer, dtype, shape);
  return parse_elements(lexer, dtype, shape, count);
}

}  // namespace adze::detail
