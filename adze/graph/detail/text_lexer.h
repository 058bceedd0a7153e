#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace adze::detail {

/// A piece of graph text with where it stands.
struct Token {
  enum class Kind : std::uint8_t { End, Word, Name, String, Number, Symbol };

  Kind kind = Kind::End;
  std::string text;  ///< words, names without '%', strings unescaped, numbers as written, one punctuation character
  int line = 1;
  int column = 1;

  bool is(char symbol) const { return kind == Kind::Symbol && text[0] == symbol; }
  bool is_word(std::string_view word) const { return kind == Kind::Word && text == word; }
};

/// Cuts graph text into tokens, one ahead.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) { advance(); }

  const Token& peek() const { return token_; }
  /// The current token; moves to the next.
  Token take();
  /// Takes the symbol if it comes next.
  bool accept(char symbol);
  void expect(char symbol);
  Token expect(Token::Kind kind, std::string_view what);
  /// Throws ModelError "line L, column C: expected what, found …" at the current token.
  [[noreturn]] void fail_expected(std::string_view what) const;
  /// Throws ModelError with the token's place.
  [[noreturn]] static void fail(const Token& at, std::string_view message);

 private:
  void advance();
  void skip_space();
  char at(std::size_t offset = 0) const { return position_ + offset < text_.size() ? text_[position_ + offset] : '\0'; }
  void step();
  void read_name();
  void read_string();
  void read_number();

  std::string_view text_;
  std::size_t position_ = 0;
  int line_ = 1;
  int column_ = 1;
  Token token_;
};

}  // namespace adze::detail
