#include "adze/quantize/ranges.h"

#include <algorithm>

namespace adze::quantize {

Range percentile_range(const Histogram& histogram, double percentile) {
  const double outside = 1 - percentile / 100;
  return {histogram.min() < 0 ? histogram.quantile(outside) : 0,
          histogram.max() > 0 ? histogram.quantile(1 - outside) : 0};
}

Range choose_range(const Histogram& histogram, Calibrator calibrator, const IntegerGrid& grid, double percentile) {
  const Range all{std::min(histogram.min(), 0.0), std::max(histogram.max(), 0.0)};
  if (all.low == all.high) return all;
  Range range = all;
  switch (calibrator) {
    case Calibrator::MovingAverage:  // its caller averages; what is left here is everything seen
    case Calibrator::Max:
      break;
    case Calibrator::Percentile:
      range = percentile_range(histogram, percentile);
      break;
    case Calibrator::Entropy:
      range = entropy_range(histogram, grid);
      break;
    case Calibrator::Aciq:
      return aciq_range(histogram, grid);
    case Calibrator::Mse:
      range = mse_range(histogram, grid);
      break;
  }
  range = {std::clamp(range.low, all.low, 0.0), std::clamp(range.high, 0.0, all.high)};
  // A percentile of mostly zeros is zero: then everything seen is better than nothing.
  return range.low == range.high ? all : range;
}

}  // namespace adze::quantize
