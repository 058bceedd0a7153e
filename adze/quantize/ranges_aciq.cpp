#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

#include "adze/quantize/ranges.h"

namespace adze::quantize {

namespace {

/// What the formulas need of a distribution around its centre.
struct Moments {
  double center = 0;
  double deviation = 0;  ///< root of the mean square distance
  double distance = 0;   ///< mean absolute distance
};

Moments moments_of(const std::vector<Histogram::Bin>& bins, bool around_zero, bool without_zeros) {
  double count = 0, sum = 0;
  const auto counted = [&](const Histogram::Bin& bin) { return !without_zeros || bin.low != bin.high || bin.low != 0; };
  for (const Histogram::Bin& bin : bins) {
    if (!counted(bin)) continue;
    count += static_cast<double>(bin.count);
    sum += static_cast<double>(bin.count) * bin.center();
  }
  Moments moments;
  if (count == 0) return moments;
  moments.center = around_zero ? 0 : sum / count;
  for (const Histogram::Bin& bin : bins) {
    if (!counted(bin)) continue;
    const double away = bin.center() - moments.center, share = static_cast<double>(bin.count) / count;
    moments.deviation += share * away * away;
    moments.distance += share * std::abs(away);
  }
  moments.deviation = std::sqrt(moments.deviation);
  return moments;
}

double laplace_error(double threshold, double scale, double levels) {
  return 2 * scale * scale * std::exp(-threshold / scale) + threshold * threshold / (3 * levels * levels);
}

double normal_error(double threshold, double deviation, double levels) {
  const double ratio = threshold / deviation;
  return (threshold * threshold + deviation * deviation) * std::erfc(ratio / std::numbers::sqrt2) +
         threshold * threshold / (3 * levels * levels) -
         std::sqrt(2 / std::numbers::pi) * threshold * deviation * std::exp(-ratio * ratio / 2);
}

/// Where a function with one minimum has it.
double least(const std::function<double(double)>& error, double low, double high) {
  for (int step = 0; step < 100; ++step) {
    const double a = low + (high - low) / 3, b = high - (high - low) / 3;
    (error(a) < error(b) ? high : low) = error(a) < error(b) ? b : a;
  }
  return (low + high) / 2;
}

}  // namespace

double aciq_threshold(double mean_distance, double deviation, double levels) {
  if (!(deviation > 0)) return 0;
  // Mean distance by deviation is 0.707 for Laplace's distribution and 0.798 for the normal one.
  const bool is_normal = mean_distance / deviation > (1 / std::numbers::sqrt2 + std::sqrt(2 / std::numbers::pi)) / 2;
  const double most = 30 * deviation;
  if (is_normal) return least([&](double t) { return normal_error(t, deviation, levels); }, 0.1 * deviation, most);
  return least([&](double t) { return laplace_error(t, mean_distance, levels); }, 0.1 * mean_distance, most);
}

Range aciq_range(const Histogram& histogram, const IntegerGrid& grid) {
  const double low = std::min(histogram.min(), 0.0), high = std::max(histogram.max(), 0.0);
  const bool is_one_sided = low == 0 || high == 0;
  const bool around_zero = is_one_sided || grid.symmetric;
  const Moments moments = moments_of(histogram.bins(), around_zero, is_one_sided);
  // A rectified distribution is one half of a symmetric one: all codes serve this half.
  double levels = grid.high - grid.low + 1;
  if (is_one_sided && !grid.symmetric) levels *= 2;
  const double threshold = aciq_threshold(moments.distance, moments.deviation, levels);
  if (threshold == 0) return {low, high};
  return {std::max(low, std::min(0.0, moments.center - threshold)),
          std::min(high, std::max(0.0, moments.center + threshold))};
}

}  // namespace adze::quantize
