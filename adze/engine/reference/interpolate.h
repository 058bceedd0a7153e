#pragma once

#include <algorithm>
#include <cmath>

namespace adze::reference {

/// The triangle of linear interpolation.
inline double linear_filter(double distance) {
  return std::max(0.0, 1 - std::abs(distance));
}

/// The kernel of cubic convolution.
/// Source  Keys, Cubic Convolution Interpolation for Digital Image Processing, 1981
inline double cubic_filter(double distance, double a) {
  const double x = std::abs(distance);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}

}  // namespace adze::reference
