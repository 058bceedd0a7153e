#include "adze/numerics/formats/format.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "adze/base/error.h"
#include "adze/base/text.h"

namespace adze {

std::vector<float> NumberFormat::rounded(std::span<const float> values, const FitOptions& options,
                                         Rounding rounding) const {
  std::vector<float> result(values.size());
  const std::size_t block =
      facts_.block > 0 ? static_cast<std::size_t>(facts_.block) : std::max<std::size_t>(1, values.size());
  for (std::size_t begin = 0; begin < values.size(); begin += block) {
    const std::size_t count = std::min(block, values.size() - begin);
    FitOptions part = options;
    if (!options.importance.empty()) part.importance = options.importance.subspan(begin, count);
    const FormatParameters parameters = fit(values.subspan(begin, count), part);
    for (std::size_t i = begin; i < begin + count; ++i) {
      result[i] = static_cast<float>(decode(encode(values[i], parameters, rounding), parameters));
    }
  }
  return result;
}

FormatParameters NumberFormat::searched(std::span<const float> values, const FitOptions& options,
                                        FormatParameters start) const {
  FormatParameters best = start;
  best[0] = stored_scale(start[0]);
  double least = std::numeric_limits<double>::infinity();
  for (int step = 0; step <= 28; ++step) {
    FormatParameters tried = start;
    tried[0] = stored_scale(start[0] * (1.1 - 0.025 * step));
    double error = 0;
    for (std::size_t i = 0; i < values.size() && error < least; ++i) {
      const double difference = values[i] - decode(encode(values[i], tried), tried);
      error += (options.importance.empty() ? 1.0 : options.importance[i]) * difference * difference;
    }
    if (error >= least) continue;
    least = error;
    best = tried;
  }
  return best;
}

void NumberFormat::check_code(std::uint64_t code) const {
  if (facts_.bits < 64 && code >> facts_.bits != 0) {
    throw UsageError(cat("code ", code, " has more than the ", facts_.bits, " bits of ", facts_.name));
  }
}

void NumberFormat::refuse_nan() const {
  throw ModelError(cat("NaN has no code in ", facts_.name));
}

void check_finite(std::span<const float> values, std::string_view format_name) {
  const bool finite = std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
  if (!finite) throw ModelError(cat("values to be stored as ", format_name, " are infinite or NaN"));
}

double largest_magnitude(std::span<const float> values) {
  float largest = 0;
  for (const float value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

}  // namespace adze
