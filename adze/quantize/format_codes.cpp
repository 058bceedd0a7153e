#include "adze/quantize/format_codes.h"

#include <algorithm>
#include <cmath>

namespace adze::quantize {

namespace {

/// What every code stands for with these parameters; codes that stand for no number are never met and count as 0.
std::vector<float> table_of(const NumberFormat& format, const FormatParameters& parameters) {
  std::vector<float> table;
  for (std::uint64_t code = 0; code >> format.bits() == 0; ++code) {
    const double value = format.decode(code, parameters);
    table.push_back(std::isfinite(value) ? static_cast<float>(value) : 0.0F);
  }
  return table;
}

}  // namespace

Rows rows_of(const Tensor& weight, std::optional<std::int64_t> axis) {
  const auto from = weight.data<float>();
  Rows result{std::vector<float>(from.begin(), from.end()), 1, weight.size()};
  if (!axis) return result;
  result.rows = weight.dim(*axis);
  result.columns = weight.size() / std::max<std::int64_t>(1, result.rows);
  for (std::int64_t i = 0; i < weight.size(); ++i) {
    const std::size_t at = code_place(i, result, result.columns, weight.shape(), axis);
    result.values[at] = from[static_cast<std::size_t>(i)];
  }
  return result;
}

bool has_scale_alone(const NumberFormat& format) {
  const FormatParameters unit = format.unit();
  if (unit.size() != 1) return false;
  const std::vector<float> single = table_of(format, {unit[0]}), twice = table_of(format, {2 * unit[0]});
  for (std::size_t i = 0; i < single.size(); ++i) {
    if (twice[i] != 2 * single[i]) return false;
  }
  return true;
}

Coded coded(const NumberFormat& format, const Rows& rows, std::int64_t length, std::int64_t group) {
  const FitOptions fitting{{}, true};
  const std::int64_t in_row = (rows.columns - 1) / length + 1;
  Coded result{{}, {}, {}, rows.rows * in_row, length};
  const bool scaled = has_scale_alone(format);
  result.table = table_of(format, scaled ? FormatParameters{1.0} : format.unit());
  FormatParameters parameters;
  for (std::int64_t piece = 0; piece < result.pieces; ++piece) {
    const std::int64_t begin = piece % in_row * length, end = std::min(rows.columns, begin + length);
    const auto* first = rows.values.data() + piece / in_row * rows.columns;
    const std::span<const float> values(first + begin, first + end);
    if (piece % group == 0) {
      const std::int64_t members = std::min(group, result.pieces - piece);  // whole rows when there are several
      parameters = format.fit(std::span(first + begin, first + begin + members * (end - begin)), fitting);
    }
    if (scaled) {
      parameters[0] = static_cast<float>(parameters[0]);
      result.scales.push_back(static_cast<float>(parameters[0]));
    } else {
      result.table = table_of(format, parameters);
    }
    for (const float value : values) result.codes.push_back(format.encode(value, parameters));
    for (std::int64_t i = end - begin; i < length; ++i) result.codes.push_back(format.encode(0, parameters));
  }
  return result;
}

std::size_t code_place(std::int64_t index, const Rows& rows, std::int64_t padded, const Shape& shape,
                       std::optional<std::int64_t> axis) {
  if (!axis) return static_cast<std::size_t>(index);
  std::int64_t inner = 1;
  for (std::size_t i = static_cast<std::size_t>(*axis) + 1; i < shape.size(); ++i) inner *= shape[i];
  return static_cast<std::size_t>(index / inner % rows.rows * padded + index / (inner * rows.rows) * inner +
                                  index % inner);
}

std::vector<float> restored_in_order(const Coded& codes, const Rows& rows, const Shape& shape,
                                     std::optional<std::int64_t> axis) {
  const std::int64_t padded = codes.pieces / rows.rows * codes.length;
  std::vector<float> restored(rows.values.size());
  for (std::int64_t i = 0; i < std::ssize(restored); ++i) {
    const std::size_t at = code_place(i, rows, padded, shape, axis);
    const float scale = codes.scales.empty() ? 1.0F : codes.scales[at / static_cast<std::size_t>(codes.length)];
    restored[static_cast<std::size_t>(i)] = codes.table[codes.codes[at]] * scale;
  }
  return restored;
}

}  // namespace adze::quantize
