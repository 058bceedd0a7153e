#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "adze/base/error.h"
#include "adze/base/files.h"
#include "adze/base/progress.h"
#include "adze/base/text.h"
#include "adze/data/detail/array_dataset.h"
#include "adze/data/detail/openers.h"

namespace adze::detail {

namespace {

constexpr std::size_t max_columns = 1 << 16;
constexpr std::size_t max_line_bytes = std::size_t{1} << 24;

/// Fields of one line; "quoted ""fields""" are taken apart, line breaks within quotes are not supported.
std::vector<std::string> split_line(std::string_view line, char separator) {
  std::vector<std::string> fields(1);
  bool quoted_field = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"') {
      if (quoted_field && i + 1 < line.size() && line[i + 1] == '"')
        fields.back() += line[i++];
      else
        quoted_field = !quoted_field;
    } else if (c == separator && !quoted_field) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  for (auto& field : fields) field = std::string(trim(field));
  return fields;
}

std::optional<float> number_of(const std::string& text) {
  const std::string_view digits = text.starts_with('+') ? std::string_view(text).substr(1) : std::string_view(text);
  float value = 0.0F;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
  }
  /// The next line that is not blank.
  std::optional<std::string_view> next() {
    while (!text_.empty()) {
      const auto end = text_.find('\n');
      std::string_view line = text_.substr(0, end);
      text_.remove_prefix(end == std::string_view::npos ? text_.size() : end + 1);
      ++number_;
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (!trim(line).empty()) return line;
    }
    return std::nullopt;
  }
  std::int64_t number() const { return number_; }

 private:
  std::string_view text_;
  std::int64_t number_ = 0;
};

std::size_t find_label(const std::vector<std::string>& header, std::size_t columns, const DatasetOptions& options,
                       const ErrorPlace& place) {
  const auto position = [&](const std::string& name) {
    return static_cast<std::size_t>(std::find(header.begin(), header.end(), name) - header.begin());
  };
  if (!options.label_column.empty()) {
    if (position(options.label_column) < header.size()) return position(options.label_column);
    const std::string near = nearest(options.label_column, header);
    throw ModelError(cat("table has no column ", adze::quoted(options.label_column)), place,
                     near.empty() ? cat("columns: ", join(header, ", ")) : cat("did you mean '", near, "'?"));
  }
  for (const char* name : {"label", "class", "target", "y"}) {
    if (position(name) < header.size()) return position(name);
  }
  return columns - 1;
}

/// Reads the rows below the header; the label's column goes to labels, the others to values.
struct Table {
  std::vector<float> values;
  std::vector<std::string> labels;
};

void add_row(const std::vector<std::string>& fields, std::size_t label, std::int64_t line, const ErrorPlace& place,
             Table& table) {
  for (std::size_t c = 0; c < fields.size(); ++c) {
    if (c == label) {
      table.labels.push_back(fields[c]);
      continue;
    }
    const auto value = number_of(fields[c]);
    if (!value)
      throw ModelError(
          cat("line ", line, ", column ", c + 1, ": ", adze::quoted(fields[c].substr(0, 40)), " is not a number"),
          place);
    table.values.push_back(*value);
  }
}

bool is_text(std::span<const std::byte> bytes) {
  const auto head = bytes.first(std::min<std::size_t>(bytes.size(), 4096));
  return !head.empty() && std::none_of(head.begin(), head.end(), [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

std::shared_ptr<Dataset> open_csv(const OpenRequest& request) {
  const auto file = MappedFile::open(request.path, request.options.max_memory_bytes);
  const ErrorPlace place{request.path.string(), {}, {}};
  if (!is_text(file->bytes())) return nullptr;
  Lines lines({reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size()});
  auto line = lines.next();
  if (!line || line->size() > max_line_bytes) return nullptr;
  char separator = ',';
  if (line->find(',') == std::string_view::npos) separator = line->find(';') != std::string_view::npos ? ';' : '\t';
  std::vector<std::string> fields = split_line(*line, separator);
  const std::size_t columns = fields.size();
  if (columns < 2 || columns > max_columns) return nullptr;
  // Without a header the first row is numbers but for a last, textual label.
  const bool has_header = !number_of(fields[0]) && !number_of(fields[columns > 2 ? 1 : 0]);
  const std::vector<std::string> header = has_header ? fields : std::vector<std::string>();
  const std::size_t label = find_label(header, columns, request.options, place);
  if (has_header) line = lines.next();

  Table table;
  for (; line; line = lines.next()) {
    fields = split_line(*line, separator);
    if (fields.size() != columns) {
      throw ModelError(cat("line ", lines.number(), " has ", fields.size(), " columns, expected ", columns), place);
    }
    add_row(fields, label, lines.number(), place, table);
    if (table.labels.size() % 65536 == 0) check_cancelled();
  }
  if (table.labels.empty()) throw ModelError("table has no rows", place);

  ArrayContent content;
  content.where = request.path.string();
  const auto rows = static_cast<std::int64_t>(table.labels.size());
  content.inputs = Tensor::from<float>({rows, static_cast<std::int64_t>(columns - 1)}, table.values);
  // Fractions in the label's column mean regression.
  std::vector<float> targets;
  bool fractional = false;
  for (const auto& text : table.labels) {
    const auto value = number_of(text);
    if (!value) break;
    fractional = fractional || *value != std::floor(*value) || *value < 0.0F;
    targets.push_back(*value);
  }
  if (targets.size() == table.labels.size() && fractional) {
    content.targets = Tensor::from<float>({rows, 1}, targets);
  } else {
    content.labels = labels_of_texts(table.labels, content.class_names);
  }
  return make_array_dataset(std::move(content), request.preprocessing);
}

}  // namespace adze::detail
