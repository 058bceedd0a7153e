#include "adze/quantize/cholesky.h"

#include <algorithm>

#include "adze/base/threads.h"
#include "adze/numerics/cholesky.h"

namespace adze::quantize {

namespace {

double product(const double* a, const double* b, std::int64_t n) {
  double sums[4] = {0, 0, 0, 0};
  std::int64_t i = 0;
  for (; i + 4 <= n; i += 4) {
    for (int lane = 0; lane < 4; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  for (; i < n; ++i) sums[0] += a[i] * b[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

void turn_around(std::vector<double>& matrix) {
  std::reverse(matrix.begin(), matrix.end());
}

}  // namespace

bool inverse_upper_factor(std::vector<double>& matrix, std::int64_t n) {
  // Turned around by 180°, H = L·Lᵀ becomes H = V·Vᵀ with V upper; then H⁻¹ = (V⁻¹)ᵀ·V⁻¹, and V⁻¹ is the factor.
  turn_around(matrix);
  if (!cholesky(matrix, n)) return false;
  turn_around(matrix);
  parallel_for(n, 8, [&](std::int64_t begin, std::int64_t end) {
    // Column by column of V·X = 1, kept as rows of Xᵀ, so that products run along memory, in the triangle that is free.
    std::vector<double> x(static_cast<std::size_t>(n));
    for (std::int64_t column = begin; column < end; ++column) {
      x[static_cast<std::size_t>(column)] = 1 / matrix[static_cast<std::size_t>(column * n + column)];
      for (std::int64_t row = column - 1; row >= 0; --row) {
        const double* v = matrix.data() + row * n;
        x[static_cast<std::size_t>(row)] = -product(v + row + 1, x.data() + row + 1, column - row) / v[row];
      }
      std::copy_n(x.begin(), column, matrix.begin() + column * n);
    }
  });
  for (std::int64_t row = 0; row < n; ++row) {
    double& diagonal = matrix[static_cast<std::size_t>(row * n + row)];
    diagonal = 1 / diagonal;
    for (std::int64_t column = row + 1; column < n; ++column) {
      double& below = matrix[static_cast<std::size_t>(column * n + row)];
      matrix[static_cast<std::size_t>(row * n + column)] = below;
      below = 0;
    }
  }
  return true;
}

}  // namespace adze::quantize
