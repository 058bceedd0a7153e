#include "cli/inspect_format.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "adze/base/files.h"
#include "adze/base/text.h"
#include "adze/numerics/formats/figures.h"
#include "adze/report/number_lines.h"

namespace adze::cli {

namespace {

using Json = nlohmann::ordered_json;

std::string value_text(double value) {
  if (std::isnan(value)) return "-";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  return cat(value);
}

std::string binary_text(std::uint64_t code, int bits) {
  std::string text;
  for (int bit = bits - 1; bit >= 0; --bit) text += ((code >> bit) & 1) != 0 ? '1' : '0';
  return text;
}

Json format_json(const NumberFormat& format) {
  const FormatFigures figures = format_figures(format);
  const NumberFormat::Facts& facts = format.facts();
  Json json = {{"name", facts.name},
               {"family", facts.family},
               {"source", facts.source},
               {"bits", facts.bits},
               {"block", facts.block},
               {"parameter_bits", facts.parameter_bits},
               {"lowest", figures.lowest},
               {"highest", figures.highest},
               {"smallest", figures.smallest},
               {"epsilon", figures.epsilon ? Json(*figures.epsilon) : Json(nullptr)},
               {"range_db", figures.range_db},
               {"values", figures.values},
               {"infinities", figures.infinities},
               {"nans", figures.nans}};
  if (facts.bits > 8) return json;
  Json codes = Json::array();
  const FormatParameters unit = format.unit();
  for (std::uint64_t code = 0; code >> facts.bits == 0; ++code) {
    const double value = format.decode(code, unit);
    codes.push_back(std::isfinite(value) ? Json(value) : Json(value_text(value)));
  }
  json["codes"] = std::move(codes);
  return json;
}

Table figures_table(const std::vector<std::shared_ptr<const NumberFormat>>& formats) {
  Table table({"format", "bits", "block", "lowest", "highest", "smallest", "epsilon", "range dB", "values"});
  for (const auto& one : formats) {
    const FormatFigures figures = format_figures(*one);
    const std::int64_t block = one->facts().block;
    const auto number = [](double value) { return cat(static_cast<float>(value)); };
    const bool wide = one->bits() > 32;  // beyond the range of a float
    table.add_row(
        {one->name(), cat(one->bits()), block > 0 ? cat(block) : "-",
         wide ? cat(figures.lowest) : number(figures.lowest), wide ? cat(figures.highest) : number(figures.highest),
         wide ? cat(figures.smallest) : number(figures.smallest), figures.epsilon ? number(*figures.epsilon) : "-",
         fixed(figures.range_db, 1), figures.values > 0 ? cat(figures.values) : "-"});
  }
  return table;
}

/// Four columns of codes side by side.
Table code_table(const NumberFormat& format) {
  const auto count = std::uint64_t{1} << format.bits();
  const std::uint64_t columns = std::min<std::uint64_t>(4, count / 2);
  const std::uint64_t rows = count / columns;
  std::vector<std::string> heads;
  for (std::uint64_t i = 0; i < columns; ++i) heads.insert(heads.end(), {"code", "value"});
  Table table(heads);
  const FormatParameters unit = format.unit();
  for (std::uint64_t row = 0; row < rows; ++row) {
    std::vector<std::string> cells;
    for (std::uint64_t column = 0; column < columns; ++column) {
      const std::uint64_t code = column * rows + row;
      cells.push_back(binary_text(code, format.bits()));
      cells.push_back(value_text(format.decode(code, unit)));
    }
    table.add_row(cells);
  }
  return table;
}

}  // namespace

ExitCode inspect_formats(Console& console, const std::vector<std::string>& names, const std::string& picture,
                         bool logarithmic) {
  const bool all = names.size() == 1 && names.front() == "all";
  const std::vector<std::string> wanted = all ? format_names() : names;
  std::vector<std::shared_ptr<const NumberFormat>> formats;
  for (const std::string& name : wanted) formats.push_back(format(name));
  Json list = Json::array();
  for (const auto& one : formats) list.push_back(format_json(*one));
  console.results()["formats"] = std::move(list);
  console.table(figures_table(formats));
  if (formats.size() == 1) {
    const NumberFormat& only = *formats.front();
    console.line("");
    console.line(cat(only.facts().family, ": ", only.facts().source));
    if (only.facts().parameter_bits > 0) {
      console.line(
          cat("values of a block share ", only.facts().parameter_bits, " bits of parameters; shown with scale 1"));
    }
    if (only.bits() <= 8) console.table(code_table(only));
  }
  if (!picture.empty()) {
    console.check_output(picture);
    std::vector<std::string> drawn;
    for (const auto& one : formats) {
      if (one->bits() <= 8) drawn.push_back(one->name());
    }
    write_file(picture, number_lines_svg(drawn, {.logarithmic = logarithmic}));
  }
  return ExitCode::Done;
}

}  // namespace adze::cli
