#include <algorithm>
#include <regex>
#include <set>

#include "adze/base/progress.h"
#include "adze/base/text.h"
#include "adze/engine/reference/text.h"
#include "adze/engine/reference/values.h"

namespace adze::reference::text {

namespace {

struct CaseRange {
  unsigned first, last, distance;  ///< upper-case letters and how far their lower-case ones are
};
constexpr CaseRange case_ranges[] = {{'A', 'Z', 32},     {0xC0, 0xD6, 32},   {0xD8, 0xDE, 32},  {0x391, 0x3A1, 32},
                                     {0x3A3, 0x3A9, 32}, {0x400, 0x40F, 80}, {0x410, 0x42F, 32}};

unsigned change_case(unsigned code, bool upper) {
  for (const CaseRange& range : case_ranges) {
    const unsigned offset = upper ? range.distance : 0;
    if (code >= range.first + offset && code <= range.last + offset) {
      return upper ? code - range.distance : code + range.distance;
    }
  }
  // Pairs of Latin Extended-A: even code upper, odd lower, in most of the block.
  const bool even_upper = (code >= 0x100 && code <= 0x137) || (code >= 0x14A && code <= 0x177);
  if (even_upper && code != 0x130 && code != 0x131) return upper ? code & ~1u : code | 1u;
  return code;
}

const std::span<const std::string> strings_of(const Tensor& tensor) {
  if (tensor.dtype() != DType::String) throw ModelError(cat("expected strings, found ", type_text(tensor)));
  return tensor.data<std::string>();
}

}  // namespace

std::string with_case(std::string_view utf8, bool upper) {
  std::string result;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto byte = static_cast<unsigned char>(utf8[i]);
    if (byte < 0x80) {
      result += static_cast<char>(change_case(byte, upper));
      continue;
    }
    const bool two_bytes = byte >= 0xC2 && byte <= 0xDF && i + 1 < utf8.size();
    const auto next = two_bytes ? static_cast<unsigned char>(utf8[i + 1]) : 0u;
    if (!two_bytes || (next & 0xC0u) != 0x80u) {  // longer sequences have no case here
      result += utf8[i];
      continue;
    }
    const unsigned code = change_case((byte & 0x1Fu) << 6 | (next & 0x3Fu), upper);
    result += static_cast<char>(0xC0u | code >> 6);
    result += static_cast<char>(0x80u | (code & 0x3Fu));
    ++i;
  }
  return result;
}

void string_concat(Context& context) {
  const Shape shape = checked_shape(context);
  const Tensor& a = context.input(0);
  const Tensor& b = context.input(1);
  const auto left = strings_of(a), right = strings_of(b);
  Tensor result(DType::String, shape);
  if (result.empty()) return context.set(0, result);
  const auto to = result.mutable_data<std::string>();
  const auto offset = [](const Shape& index, const Shape& from) {
    std::int64_t at = 0;
    for (std::size_t i = 0; i < from.size(); ++i) {
      at = at * from[i] + (from[i] == 1 ? 0 : index[index.size() - from.size() + i]);
    }
    return static_cast<std::size_t>(at);
  };
  Shape index(shape.size(), 0);
  std::size_t out = 0;
  do {
    to[out++] = left[offset(index, a.shape())] + right[offset(index, b.shape())];
  } while (next_index(index, shape));
  context.set(0, result);
}

/// Drops stop words, then changes case. When nothing is left the result is one empty string.
void string_normalizer(Context& context) {
  checked_types(context);
  const Node& node = context.node();
  const Tensor& x = context.input(0);
  const std::string action = node.get_string("case_change_action");
  if (action != "NONE" && action != "LOWER" && action != "UPPER") {
    throw ModelError(cat("case_change_action ", quoted(action), " is not known"));
  }
  const bool sensitive = node.get_int("is_case_sensitive") != 0;
  const auto key = [&](const std::string& word) { return sensitive ? word : with_case(word, false); };
  std::set<std::string> stop_words;
  for (const std::string& word : node.get_strings("stopwords")) stop_words.insert(key(word));
  std::vector<std::string> kept;
  for (const std::string& word : strings_of(x)) {
    if (stop_words.contains(key(word))) continue;
    kept.push_back(action == "NONE" ? word : with_case(word, action == "UPPER"));
  }
  if (kept.empty()) kept.emplace_back();
  Shape shape = {std::ssize(kept)};
  if (x.rank() == 2) shape.insert(shape.begin(), 1);
  context.set(0, Tensor::from<std::string>(shape, kept));
}

namespace {

bool is_space(char c) {
  return std::string_view(" \t\n\v\f\r").find(c) != std::string_view::npos;
}

std::vector<std::string> split_at_space(std::string_view rest, std::int64_t most) {
  std::vector<std::string> pieces;
  while (true) {
    while (!rest.empty() && is_space(rest.front())) rest.remove_prefix(1);
    if (rest.empty()) return pieces;
    if (std::ssize(pieces) == most) break;
    const auto end = std::find_if(rest.begin(), rest.end(), is_space);
    pieces.emplace_back(rest.begin(), end);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.begin()));
  }
  pieces.emplace_back(rest);
  return pieces;
}

std::vector<std::string> split_at(std::string_view rest, const std::string& delimiter, std::int64_t most) {
  std::vector<std::string> pieces;
  while (std::ssize(pieces) != most) {
    const std::size_t end = rest.find(delimiter);
    if (end == std::string_view::npos) break;
    pieces.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end + delimiter.size());
  }
  pieces.emplace_back(rest);
  return pieces;
}

}  // namespace

/// Pieces between delimiters (runs of white space when there is none), filled up with empty strings to a rectangle.
void string_split(Context& context) {
  const Tensor& x = context.input(0);
  const std::string delimiter = context.node().get_string("delimiter");
  const std::int64_t most = context.node().has("maxsplit") ? context.node().get_int("maxsplit") : -1;
  std::vector<std::vector<std::string>> rows;
  std::vector<std::int64_t> counts;
  for (const std::string& text : strings_of(x)) {
    check_cancelled();
    rows.push_back(delimiter.empty() ? split_at_space(text, most) : split_at(text, delimiter, most));
    counts.push_back(std::ssize(rows.back()));
  }
  const std::int64_t width = counts.empty() ? 0 : *std::max_element(counts.begin(), counts.end());
  Shape shape = x.shape();
  shape.push_back(width);
  Tensor result(DType::String, shape);
  const auto to = result.mutable_data<std::string>();
  for (std::size_t row = 0; row < rows.size(); ++row) {
    std::move(rows[row].begin(), rows[row].end(), to.begin() + static_cast<std::int64_t>(row) * width);
  }
  context.set(0, result);
  context.set(1, from_integers(DType::S64, x.shape(), counts));
}

void regex_full_match(Context& context) {
  const Tensor& x = context.input(0);
  const std::string pattern = context.node().get_string("pattern");
  constexpr std::size_t most_pattern = 1024, most_text = 1 << 16;
  if (pattern.size() > most_pattern) throw LimitError(cat("a pattern of ", pattern.size(), " characters is too long"));
  std::vector<double> matches;
  try {
    auto flags = std::regex::ECMAScript;
#ifdef __GLIBCXX__
    flags |= std::regex_constants::__polynomial;  // no exponential backtracking, no recursion as deep as the text
#endif
    const std::regex regex(pattern, flags);
    for (const std::string& text : strings_of(x)) {
      check_cancelled();
      if (text.size() > most_text) throw LimitError(cat("a text of ", text.size(), " characters is too long to match"));
      matches.push_back(std::regex_match(text, regex) ? 1 : 0);
    }
  } catch (const std::regex_error& error) {
    throw ModelError(cat("pattern ", quoted(pattern), " cannot be used: ", error.what()));
  }
  context.set(0, from_doubles(DType::Bool, x.shape(), matches));
}

}  // namespace adze::reference::text
