#include "adze/numerics/formats/figures.h"

#include <algorithm>
#include <cmath>

#include "adze/base/error.h"
#include "adze/base/text.h"
#include "adze/numerics/formats/float_format.h"

namespace adze {

namespace {

FormatFigures wide_figures(const FloatParameters& parameters) {
  FormatFigures figures;
  figures.highest = parameters.largest();
  figures.lowest = -figures.highest;
  figures.smallest = parameters.smallest();
  figures.epsilon = std::ldexp(1.0, -parameters.mantissa_bits);
  return figures;
}

}  // namespace

std::vector<double> format_values(const NumberFormat& format) {
  if (format.bits() > 16) throw UsageError(cat(format.name(), " has too many codes to list them; at most 16 bits"));
  const FormatParameters unit = format.unit();
  std::vector<double> values;
  for (std::uint64_t code = 0; code >> format.bits() == 0; ++code) {
    const double value = format.decode(code, unit);
    if (std::isfinite(value)) values.push_back(value);
  }
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

FormatFigures format_figures(const NumberFormat& format) {
  FormatFigures figures;
  if (const auto* wide = dynamic_cast<const FloatNumberFormat*>(&format); wide != nullptr && format.bits() > 16) {
    figures = wide_figures(wide->parameters());
  } else {
    const std::vector<double> values = format_values(format);
    figures.lowest = values.front();
    figures.highest = values.back();
    figures.values = static_cast<std::int64_t>(values.size());
    const auto positive = std::upper_bound(values.begin(), values.end(), 0.0);
    if (positive != values.end()) figures.smallest = *positive;
    const auto above_one = std::upper_bound(values.begin(), values.end(), 1.0);
    if (above_one != values.end() && std::binary_search(values.begin(), above_one, 1.0)) {
      figures.epsilon = *above_one - 1.0;
    }
    const FormatParameters unit = format.unit();
    for (std::uint64_t code = 0; code >> format.bits() == 0; ++code) {
      const double value = format.decode(code, unit);
      figures.infinities += std::isinf(value) ? 1 : 0;
      figures.nans += std::isnan(value) ? 1 : 0;
    }
  }
  if (figures.smallest > 0) figures.range_db = 20 * (std::log10(figures.highest) - std::log10(figures.smallest));
  return figures;
}

}  // namespace adze
