#include "adze/graph/detail/text_lexer.h"

#include <charconv>

#include "adze/base/error.h"
#include "adze/base/text.h"

namespace adze::detail {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_word_part(char c) {
  return is_letter(c) || is_digit(c) || c == '.' || c == '-';
}
bool is_name_part(char c) {
  return is_word_part(c) || c == ':' || c == '/';
}

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 63));
  } else {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 63));
    out += static_cast<char>(0x80 | (code & 63));
  }
}

}  // namespace

void Lexer::fail(const Token& at, std::string_view message) {
  throw ModelError(cat("graph text, line ", at.line, ", column ", at.column, ": ", message));
}

void Lexer::fail_expected(std::string_view what) const {
  const std::string found = token_.kind == Token::Kind::End ? "the end of the text" : quoted(token_.text.substr(0, 40));
  fail(token_, cat("expected ", what, ", found ", found));
}

Token Lexer::take() {
  Token taken = std::move(token_);
  advance();
  return taken;
}

bool Lexer::accept(char symbol) {
  if (!token_.is(symbol)) return false;
  advance();
  return true;
}

void Lexer::expect(char symbol) {
  if (!accept(symbol)) fail_expected(std::string{'\'', symbol, '\''});
}

Token Lexer::expect(Token::Kind kind, std::string_view what) {
  if (token_.kind != kind) fail_expected(what);
  return take();
}

void Lexer::step() {
  if (text_[position_++] == '\n') {
    ++line_;
    column_ = 1;
  } else {
    ++column_;
  }
}

void Lexer::skip_space() {
  while (position_ < text_.size()) {
    if (at() == '#') {
      while (position_ < text_.size() && at() != '\n') step();
    } else if (at() == ' ' || at() == '\t' || at() == '\r' || at() == '\n') {
      step();
    } else {
      return;
    }
  }
}

void Lexer::advance() {
  skip_space();
  token_ = Token{Token::Kind::End, "", line_, column_};
  if (position_ >= text_.size()) return;
  if (at() == '%') {
    read_name();
  } else if (at() == '"') {
    token_.kind = Token::Kind::String;
    read_string();
  } else if (is_letter(at())) {
    token_.kind = Token::Kind::Word;
    for (; is_word_part(at()); step()) token_.text += at();
  } else if (is_digit(at()) || (at() == '-' && (is_digit(at(1)) || at(1) == 'i'))) {
    read_number();
  } else {
    token_.kind = Token::Kind::Symbol;
    token_.text = at();
    step();
  }
}

void Lexer::read_name() {
  token_.kind = Token::Kind::Name;
  step();
  if (at() == '"') return read_string();
  std::size_t length = 0;
  while (is_name_part(at(length))) ++length;
  while (length > 0 && at(length - 1) == ':') --length;  // the colon before a type
  if (length == 0) fail(token_, "expected a name after %");
  for (; length > 0; --length) {
    token_.text += at();
    step();
  }
}

void Lexer::read_string() {
  step();
  while (at() != '"') {
    if (position_ >= text_.size()) fail(token_, "the quoted text does not end");
    if (at() != '\\') {
      token_.text += at();
      step();
      continue;
    }
    step();
    const char escape = at();
    if (escape == 'u') {
      unsigned code = 0;
      const std::string_view digits = text_.substr(position_ + 1, 4);
      const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
      if (digits.size() != 4 || result.ptr != digits.data() + 4) fail(token_, "\\u needs four hexadecimal digits");
      append_utf8(token_.text, code);
      for (int i = 0; i < 5; ++i) step();
      continue;
    }
    if (escape != '"' && escape != '\\' && escape != 'n') fail(token_, "unknown escape in the quoted text");
    token_.text += escape == 'n' ? '\n' : escape;
    step();
  }
  step();
}

void Lexer::read_number() {
  token_.kind = Token::Kind::Number;
  token_.text += at();
  step();
  while (is_word_part(at()) || at() == '+') {
    token_.text += at();
    step();
  }
}

}  // namespace adze::detail
