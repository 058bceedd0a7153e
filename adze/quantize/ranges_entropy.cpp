#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "adze/quantize/ranges.h"

namespace adze::quantize {

namespace {

constexpr int num_bins = 2048;
constexpr double outlier_factor = 64;
/// Fewer values leave most bins empty, and the divergence of nearly empty bins is least where nearly all is clipped.
constexpr std::int64_t least_values = 4 * num_bins;

/// Counts of |x| over equal bins of [0, top], zeros left out; what lies beyond is added to `beyond`.
std::vector<double> magnitudes(const Histogram& histogram, double top, double& beyond) {
  std::vector<double> counts = histogram.uniform(0, top, num_bins);
  const std::vector<double> negative = histogram.uniform(-top, 0, num_bins);
  counts[0] -= static_cast<double>(histogram.zeros());
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += negative[counts.size() - 1 - i];
  counts[0] = std::max(0.0, counts[0] - static_cast<double>(histogram.zeros()));
  beyond = histogram.fraction_outside(-top, top) * static_cast<double>(histogram.count());
  return counts;
}

/// Sums over the first bins, so that a divergence costs one step per code.
class Divergence {
 public:
  explicit Divergence(const std::vector<double>& counts) : counts_(counts) {
    for (const double count : counts) {
      mass_.push_back(mass_.back() + count);
      entropy_.push_back(entropy_.back() + (count > 0 ? count * std::log(count) : 0));
      occupied_.push_back(occupied_.back() + (count > 0 ? 1 : 0));
    }
  }

  /// KL divergence of the first `used` bins, the outliers added to the last of them, from the same bins merged into
  /// num_codes codes and spread again over those that are occupied: sum of p log(p / q).
  double operator()(std::size_t used, double outliers, std::size_t num_codes) const {
    const double q_sum = mass_[used];
    const double p_sum = q_sum + outliers;
    if (q_sum <= 0) return std::numeric_limits<double>::infinity();
    double total = 0;
    double last_q = 0;
    for (std::size_t code = 0; code < num_codes; ++code) {
      const std::size_t first = code * used / num_codes;
      const std::size_t last = (code + 1) * used / num_codes;
      const double mass = mass_[last] - mass_[first];
      const double occupied = occupied_[last] - occupied_[first];
      if (!(mass > 0) || occupied == 0) continue;
      last_q = last == used && counts_[used - 1] > 0 ? mass / occupied / q_sum : 0;
      total += entropy_[last] - entropy_[first] - mass * std::log(p_sum * mass / (occupied * q_sum));
    }
    total /= p_sum;
    // Clipped mass in an empty last bin has no counterpart: it gets a small one, so that it costs much but not all.
    const double kept = counts_[used - 1];
    const double q = last_q > 0 ? last_q : 1e-9;
    const auto term = [&](double count) { return count > 0 ? count / p_sum * std::log(count / p_sum / q) : 0.0; };
    return total - term(kept) + term(kept + outliers);
  }

 private:
  const std::vector<double>& counts_;
  std::vector<double> mass_{0}, entropy_{0}, occupied_{0};
};

}  // namespace

Range entropy_range(const Histogram& histogram, const IntegerGrid& grid) {
  if (histogram.count() - histogram.zeros() < least_values) return {histogram.min(), histogram.max()};
  const double largest = std::max(-histogram.min(), histogram.max());
  const double usual = std::max(-histogram.quantile(0.001), histogram.quantile(0.999));
  const double top = usual > 0 ? std::min(largest, outlier_factor * usual) : largest;
  const bool one_sided = !grid.symmetric && (histogram.min() >= 0 || histogram.max() <= 0);
  const std::size_t num_codes = one_sided ? 255 : 128;
  double outliers = 0;
  const std::vector<double> counts = magnitudes(histogram, top, outliers);
  const Divergence divergence(counts);
  double least = divergence(counts.size(), outliers, num_codes);
  std::size_t best = counts.size();
  for (std::size_t used = counts.size() - 1; used >= num_codes; --used) {
    outliers += counts[used];
    const double found = divergence(used, outliers, num_codes);
    if (found < least) {
      least = found;
      best = used;
    }
  }
  const double threshold = top * static_cast<double>(best) / num_bins;
  return {std::max(-threshold, histogram.min()), std::min(threshold, histogram.max())};
}

}  // namespace adze::quantize
