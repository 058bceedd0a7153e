#include "adze/numerics/cholesky.h"

#include <cmath>

#include "adze/base/error.h"

namespace adze {

namespace {

/// Four sums side by side: quick without changing the order from one compiler to another.
double dot(const double* a, const double* b, std::int64_t count) {
  double sums[4] = {0, 0, 0, 0};
  std::int64_t i = 0;
  for (; i + 4 <= count; i += 4) {
    for (int k = 0; k < 4; ++k) sums[k] += a[i + k] * b[i + k];
  }
  for (; i < count; ++i) sums[0] += a[i] * b[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

}  // namespace

bool cholesky(std::span<double> a, std::int64_t size) {
  for (std::int64_t row = 0; row < size; ++row) {
    double* current = a.data() + row * size;
    for (std::int64_t column = 0; column < row; ++column) {
      const double* other = a.data() + column * size;
      current[column] = (current[column] - dot(current, other, column)) / other[column];
    }
    const double rest = current[row] - dot(current, current, row);
    if (!(rest > 0) || !std::isfinite(rest)) return false;
    current[row] = std::sqrt(rest);
  }
  return true;
}

void cholesky_solve(std::span<const double> factor, std::int64_t size, std::span<double> b) {
  for (std::int64_t row = 0; row < size; ++row) {
    const double* current = factor.data() + row * size;
    b[static_cast<std::size_t>(row)] = (b[static_cast<std::size_t>(row)] - dot(current, b.data(), row)) / current[row];
  }
  for (std::int64_t row = size; row-- > 0;) {
    const double* current = factor.data() + row * size;
    const double value = b[static_cast<std::size_t>(row)] / current[row];
    b[static_cast<std::size_t>(row)] = value;
    for (std::int64_t i = 0; i < row; ++i) b[static_cast<std::size_t>(i)] -= value * current[i];
  }
}

std::vector<double> cholesky_inverse(std::span<const double> factor, std::int64_t size) {
  std::vector<double> inverse(static_cast<std::size_t>(size * size));
  for (std::int64_t row = 0; row < size; ++row) {
    inverse[static_cast<std::size_t>(row * size + row)] = 1;
    cholesky_solve(factor, size,
                   std::span(inverse).subspan(static_cast<std::size_t>(row * size), static_cast<std::size_t>(size)));
  }
  return inverse;
}

std::vector<double> damped_cholesky(std::vector<double> a, std::int64_t size, double damping) {
  double mean = 0;
  for (std::int64_t i = 0; i < size; ++i) mean += a[static_cast<std::size_t>(i * size + i)] / static_cast<double>(size);
  if (!std::isfinite(mean)) throw ModelError("a matrix of sums over activations holds NaN or infinity");
  if (!(mean > 0)) mean = 1;
  for (double factor = damping; factor < 1e6; factor *= 10) {
    std::vector<double> damped = a;
    for (std::int64_t i = 0; i < size; ++i) damped[static_cast<std::size_t>(i * size + i)] += factor * mean;
    if (cholesky(damped, size)) return damped;
  }
  throw ModelError("a matrix of sums over activations holds NaN or infinity");
}

}  // namespace adze
