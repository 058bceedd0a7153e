#include <algorithm>
#include <cmath>
#include <limits>

#include "adze/quantize/ranges.h"

namespace adze::quantize {

namespace {

constexpr int num_steps = 100;

double squared_error(const std::vector<Histogram::Bin>& bins, const AffineScale& affine, const IntegerGrid& grid) {
  const double scale = affine.scale;
  double total = 0;
  for (const Histogram::Bin& bin : bins) {
    const double value = bin.center();
    const double code = std::clamp(std::nearbyint(value / scale) + affine.zero_point, static_cast<double>(grid.low),
                                   static_cast<double>(grid.high));
    const double error = value - scale * (code - affine.zero_point);
    total += error * error * static_cast<double>(bin.count);
  }
  return total;
}

/// Keeps the range of least error.
class Search {
 public:
  Search(const Histogram& histogram, const IntegerGrid& grid) : bins_(histogram.bins()), grid_(grid) {}

  void attempt(double low, double high) {
    const double error = squared_error(bins_, scale_for_range(low, high, grid_), grid_);
    if (error < least_) {
      least_ = error;
      best_ = {low, high};
    }
  }
  Range best() const { return best_; }

 private:
  std::vector<Histogram::Bin> bins_;
  IntegerGrid grid_;
  double least_ = std::numeric_limits<double>::infinity();
  Range best_;
};

}  // namespace

double expected_squared_error(const Histogram& histogram, const AffineScale& affine, const IntegerGrid& grid) {
  if (histogram.count() == 0) return 0;
  return squared_error(histogram.bins(), affine, grid) / static_cast<double>(histogram.count());
}

Range mse_range(const Histogram& histogram, const IntegerGrid& grid) {
  const double low = std::min(histogram.min(), 0.0);
  const double high = std::max(histogram.max(), 0.0);
  Search search(histogram, grid);
  // Geometric steps below 1/100 of the range reach past outliers; linear ones above are fine enough near the optimum.
  for (int step = num_steps; step >= 1; --step) search.attempt(low * step / num_steps, high * step / num_steps);
  for (int octave = 1; octave <= 16; ++octave) {
    const double ratio = std::ldexp(1.0 / num_steps, -octave);
    search.attempt(low * ratio, high * ratio);
  }
  if (grid.symmetric || low == 0 || high == 0) return search.best();
  const double best_high = search.best().high;
  for (int step = num_steps; step >= 0; --step) search.attempt(low * step / num_steps, best_high);
  const double best_low = search.best().low;
  for (int step = num_steps; step >= 0; --step) search.attempt(best_low, high * step / num_steps);
  return search.best();
}

}  // namespace adze::quantize
