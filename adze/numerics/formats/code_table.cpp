#include "adze/numerics/formats/code_table.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "adze/base/error.h"

namespace adze {

CodeTable::CodeTable(std::vector<Entry> entries) : entries_(std::move(entries)) {
  sort();
  if (entries_.empty()) throw InternalError("a number format without values");
  bounds_.resize(entries_.size() - 1);
  for (std::size_t i = 0; i < bounds_.size(); ++i) bounds_[i] = (entries_[i].value + entries_[i + 1].value) / 2;
}

CodeTable::CodeTable(std::vector<Entry> entries, std::vector<double> bounds)
    : entries_(std::move(entries)), bounds_(std::move(bounds)) {
  sort();
}

void CodeTable::sort() {
  std::erase_if(entries_, [](const Entry& entry) { return !std::isfinite(entry.value); });
  std::sort(entries_.begin(), entries_.end(),
            [](const Entry& a, const Entry& b) { return a.value != b.value ? a.value < b.value : a.code < b.code; });
  const auto equal = [](const Entry& a, const Entry& b) { return a.value == b.value; };
  entries_.erase(std::unique(entries_.begin(), entries_.end(), equal), entries_.end());
}

std::size_t CodeTable::round(double value, Rounding rounding) const {
  if (rounding.random != nullptr) return round_stochastic(value, *rounding.random);
  const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  const auto index = static_cast<std::size_t>(bound - bounds_.begin());
  if (bound == bounds_.end() || *bound != value) return index;
  return entries_[index].code % 2 == 0 ? index : index + 1;
}

std::size_t CodeTable::round_stochastic(double value, Random& random) const {
  if (value <= lowest()) return 0;
  if (value >= highest()) return entries_.size() - 1;
  const auto above = std::upper_bound(entries_.begin(), entries_.end(), value,
                                      [](double wanted, const Entry& entry) { return wanted < entry.value; });
  const auto below = above - 1;
  const double share = (value - below->value) / (above->value - below->value);
  return static_cast<std::size_t>((random.uniform() < share ? above : below) - entries_.begin());
}

TableFormat::TableFormat(Facts facts, const std::vector<CodeTable::Entry>& entries, const std::vector<double>& bounds)
    : NumberFormat(std::move(facts)),
      table_(bounds.empty() ? CodeTable(entries) : CodeTable(entries, bounds)),
      values_(std::size_t{1} << bits(), std::numeric_limits<double>::quiet_NaN()) {
  for (const CodeTable::Entry& entry : entries) values_[entry.code] = entry.value;
}

double TableFormat::scale_of(std::span<const float> values) const {
  double scale = 0;
  for (const float value : values) {
    const double end = value < 0 ? table_.lowest() : table_.highest();
    if (end != 0) scale = std::max(scale, value / end);
  }
  return scale > 0 ? scale : 1.0;
}

FormatParameters TableFormat::fit(std::span<const float> values, const FitOptions& options) const {
  check_finite(values, name());
  const double scale = scale_of(values);
  return options.search ? searched(values, options, {scale}) : FormatParameters{stored_scale(scale)};
}

std::uint64_t TableFormat::encode(double value, const FormatParameters& parameters, Rounding rounding) const {
  if (std::isnan(value)) refuse_nan();
  return table_.entries()[table_.round(value / parameters[0], rounding)].code;
}

double TableFormat::decode(std::uint64_t code, const FormatParameters& parameters) const {
  check_code(code);
  return values_[code] * parameters[0];
}

}  // namespace adze
