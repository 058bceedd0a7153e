#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace adze {

/// Rows and columns of text, aligned for reading. Columns whose cells are all numbers align right.
class Table {
 public:
  explicit Table(std::vector<std::string> header, std::string title = {});

  void add_row(std::vector<std::string> row);
  /// A line between the rows before and after.
  void add_rule();
  bool empty() const { return rows_.empty(); }

  /// Columns separated by two spaces, a rule under the header.
  std::string text() const;
  /// GitHub-flavoured Markdown, aligned in the source too.
  std::string markdown() const;

 private:
  struct Layout;
  Layout layout() const;

  std::string title_;
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;  ///< an empty row is a rule
};

/// Text of at most width characters for a cell: the middle of a longer one is replaced by "…".
std::string shortened(std::string_view text, std::size_t width);

}  // namespace adze
