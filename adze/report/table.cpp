#include "adze/report/table.h"

#include <algorithm>
#include <cctype>

#include "adze/base/error.h"
#include "adze/base/text.h"

namespace adze {

namespace {

/// Columns on a terminal: code points, which is right for the Latin text, arrows and signs that we print.
std::size_t display_width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool looks_numeric(const std::string& cell) {
  if (cell.empty() || cell == "-" || cell == "–") return true;
  const auto first = static_cast<unsigned char>(cell[0]);
  return std::isdigit(first) ||
         ((cell[0] == '-' || cell[0] == '+') && cell.size() > 1 && std::isdigit(static_cast<unsigned char>(cell[1])));
}

std::string padded(const std::string& text, std::size_t width, bool right) {
  const std::string space(width - std::min(width, display_width(text)), ' ');
  return right ? space + text : text + space;
}

}  // namespace

struct Table::Layout {
  std::vector<std::size_t> widths;
  std::vector<bool> right;
};

Table::Table(std::vector<std::string> header, std::string title)
    : title_(std::move(title)), header_(std::move(header)) {}

void Table::add_row(std::vector<std::string> row) {
  if (row.size() != header_.size()) throw InternalError("table row has another number of cells than the header");
  rows_.push_back(std::move(row));
}

void Table::add_rule() {
  rows_.emplace_back();
}

Table::Layout Table::layout() const {
  Layout result;
  for (std::size_t column = 0; column < header_.size(); ++column) {
    std::size_t width = display_width(header_[column]);
    bool numeric = true;
    for (const auto& row : rows_) {
      if (row.empty()) continue;
      width = std::max(width, display_width(row[column]));
      numeric = numeric && looks_numeric(row[column]);
    }
    result.widths.push_back(width);
    result.right.push_back(numeric && !rows_.empty() && column > 0);
  }
  return result;
}

std::string Table::text() const {
  const Layout shape = layout();
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string out;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) out += "  ";
      out += padded(cells[i], shape.widths[i], shape.right[i]);
    }
    out.erase(out.find_last_not_of(' ') + 1);
    return out + "\n";
  };
  std::string rule;
  for (std::size_t i = 0; i < shape.widths.size(); ++i) {
    if (i > 0) rule += "  ";
    for (std::size_t k = 0; k < shape.widths[i]; ++k) rule += "─";
  }
  rule += "\n";
  std::string out = title_.empty() ? "" : title_ + "\n";
  out += line(header_) + rule;
  for (const auto& row : rows_) out += row.empty() ? rule : line(row);
  return out;
}

std::string Table::markdown() const {
  const Layout shape = layout();
  std::string out = title_.empty() ? "" : "**" + title_ + "**\n\n";
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text = "|";
    for (std::size_t i = 0; i < cells.size(); ++i)
      text += " " + padded(cells[i], shape.widths[i], shape.right[i]) + " |";
    return text + "\n";
  };
  out += line(header_) + "|";
  for (std::size_t i = 0; i < shape.widths.size(); ++i) {
    out += cat(" ", std::string(std::max<std::size_t>(3, shape.widths[i]) - 1, '-'), shape.right[i] ? ":" : "-", " |");
  }
  out += "\n";
  for (const auto& row : rows_) {
    if (!row.empty()) out += line(row);
  }
  return out;
}

std::string shortened(std::string_view text, std::size_t width) {
  if (text.size() <= width || width < 3) return std::string(text);
  const std::size_t head = (width - 1) / 2, tail = width - 1 - head;
  return cat(text.substr(0, head), "…", text.substr(text.size() - tail));
}

}  // namespace adze
