#pragma once

#include <toml++/toml.h>
#include <algorithm>
#include <string>
#include <vector>

#include "adze/base/error.h"
#include "adze/base/text.h"

namespace adze {

/// Throws UsageError with the place in the file.
[[noreturn]] inline void fail_recipe(const std::string& file, const toml::source_region& at, const std::string& message,
                                     const std::string& hint = {}) {
  throw UsageError(cat("recipe ", file, ", line ", at.begin.line, ", column ", at.begin.column, ": ", message), hint);
}

/// Reads keys of one table; every key must be asked for, so that a misspelt one is an error.
class TomlReader {
 public:
  TomlReader(const toml::table& table, const std::string& file) : table_(table), file_(file) {}

  template <typename T>
  T get(const std::string& key, T fallback) {
    known_.push_back(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr) return fallback;
    if (const auto value = node->value_exact<T>()) return *value;
    if constexpr (std::is_same_v<T, double>) {
      if (const auto value = node->value<double>()) return *value;
    }
    fail_recipe(file_, node->source(), cat(key, " has the wrong type"));
  }

  std::vector<std::string> texts(const std::string& key) {
    known_.push_back(key);
    std::vector<std::string> result;
    const toml::node* node = table_.get(key);
    if (node == nullptr) return result;
    const toml::array* array = node->as_array();
    if (array == nullptr) fail_recipe(file_, node->source(), cat(key, " is not a list"));
    for (const toml::node& item : *array) {
      const auto text = item.value_exact<std::string>();
      if (!text) fail_recipe(file_, item.source(), cat(key, " holds something else than text"));
      result.push_back(*text);
    }
    return result;
  }

  const toml::table* table(const std::string& key) {
    known_.push_back(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr) return nullptr;
    if (node->as_table() == nullptr) fail_recipe(file_, node->source(), cat(key, " is not a table"));
    return node->as_table();
  }

  const toml::array* array(const std::string& key) {
    known_.push_back(key);
    const toml::node* node = table_.get(key);
    if (node != nullptr && node->as_array() == nullptr) fail_recipe(file_, node->source(), cat(key, " is not a list"));
    return node != nullptr ? node->as_array() : nullptr;
  }

  /// One of the words, as its position.
  template <typename Enum>
  Enum word(const std::string& key, const std::vector<std::string>& words, Enum fallback) {
    const std::string text = get<std::string>(key, words[static_cast<std::size_t>(fallback)]);
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (words[i] == text) return static_cast<Enum>(i);
    }
    fail_recipe(file_, table_.get(key)->source(),
                cat(key, " = ", adze::quoted(text), " is not one of: ", join(words, ", ")), nearest(text, words));
  }

  void finish() const {
    for (const auto& [key, node] : table_) {
      const std::string name(key.str());
      if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
      fail_recipe(file_, node.source(), cat("unknown key ", adze::quoted(name)), nearest(name, known_));
    }
  }

 private:
  const toml::table& table_;
  const std::string& file_;
  std::vector<std::string> known_;
};

}  // namespace adze
