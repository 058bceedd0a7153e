#include <algorithm>
#include <cmath>

#include "adze/base/progress.h"
#include "adze/base/text.h"
#include "adze/engine/reference/detail/elements.h"
#include "adze/engine/reference/interpolate.h"
#include "adze/engine/reference/neural.h"
#include "adze/engine/reference/values.h"

namespace adze::reference::neural {

namespace {

enum class Padding { Zeros, Border, Reflection };
enum class Interpolation { Nearest, Linear, Cubic };

Padding padding_of(const Node& node) {
  const std::string text = node.get_string("padding_mode");
  if (text == "zeros") return Padding::Zeros;
  if (text == "border") return Padding::Border;
  if (text == "reflection") return Padding::Reflection;
  throw ModelError(cat("padding_mode ", quoted(text), " is not known"));
}

Interpolation interpolation_of(const Node& node) {
  const std::string text = node.get_string("mode");
  if (text == "nearest") return Interpolation::Nearest;
  if (text == "bilinear" || text == "linear") return Interpolation::Linear;
  if (text == "bicubic" || text == "cubic") return Interpolation::Cubic;
  throw ModelError(cat("mode ", quoted(text), " is not known"));
}

/// x mirrored at both ends until it lies between them.
double reflected(double x, double low, double high) {
  const double range = high - low;
  if (range <= 0) return low;
  double distance = std::fmod(std::abs(x - low), 2 * range);
  if (distance > range) distance = 2 * range - distance;
  return low + distance;
}

struct Sampler {
  Padding padding;
  Interpolation interpolation;
  bool align_corners;

  double low(double) const { return align_corners ? 0 : -0.5; }
  double high(double size) const { return align_corners ? size - 1 : size - 0.5; }

  double padded(double x, double size) const {
    if (padding == Padding::Border) return std::clamp(x, 0.0, size - 1);
    if (padding == Padding::Reflection) return reflected(x, low(size), high(size));
    return x;
  }

  /// Input positions and weights along one axis for a coordinate in [-1, 1]; positions outside are left out.
  void sample(double coordinate, std::int64_t length, std::vector<std::pair<std::int64_t, double>>& terms) const {
    terms.clear();
    const auto size = static_cast<double>(length);
    double x = align_corners ? (coordinate + 1) / 2 * (size - 1) : ((coordinate + 1) * size - 1) / 2;
    if (!std::isfinite(x)) x = -1e9;  // far outside
    if (interpolation == Interpolation::Nearest) x = std::nearbyint(x);
    if (x < low(size) || x > high(size)) x = padded(x, size);
    const double first = std::floor(x);
    const int begin = interpolation == Interpolation::Cubic ? -1 : 0;
    const int end = interpolation == Interpolation::Nearest ? 0 : interpolation == Interpolation::Linear ? 1 : 2;
    for (int i = begin; i <= end; ++i) {
      const double at = interpolation == Interpolation::Nearest ? std::nearbyint(x) : first + i;
      double weight = 1;
      if (interpolation == Interpolation::Linear) weight = linear_filter(at - x);
      if (interpolation == Interpolation::Cubic) weight = cubic_filter(at - x, -0.75);
      const double source = at < 0 || at > size - 1 ? padded(at, size) : at;
      if (weight == 0 || source < 0 || source > size - 1) continue;
      terms.emplace_back(static_cast<std::int64_t>(source), weight);
    }
  }
};

/// Σ over the product of the axes' terms, added to one result per channel.
void accumulate(const std::vector<std::vector<std::pair<std::int64_t, double>>>& terms, const Shape& sizes,
                std::size_t axis, std::int64_t offset, double weight, const double* planes, std::int64_t plane_size,
                std::span<double> sums) {
  if (axis == terms.size()) {
    for (std::size_t c = 0; c < sums.size(); ++c) {
      sums[c] += weight * planes[static_cast<std::int64_t>(c) * plane_size + offset];
    }
    return;
  }
  for (const auto& [position, factor] : terms[axis]) {
    accumulate(terms, sizes, axis + 1, offset * sizes[axis] + position, weight * factor, planes, plane_size, sums);
  }
}

}  // namespace

void grid_sample(Context& context) {
  const Tensor& x = context.input(0);
  const Tensor& grid = context.input(1);
  const Shape result = checked_shape(context);
  const Sampler sampler{padding_of(context.node()), interpolation_of(context.node()),
                        context.node().get_int("align_corners") != 0};
  const Shape sizes = part(x.shape(), 2);
  const std::size_t rank = sizes.size();
  const std::int64_t plane = num_elements(sizes), points = num_elements(part(result, 2)), channels = x.dim(1);
  const std::vector<double> xs = to_doubles(x), coordinates = to_doubles(grid);
  std::vector<double> y(detail::count_to_compute(result)), sums(static_cast<std::size_t>(channels));
  std::vector<std::vector<std::pair<std::int64_t, double>>> terms(rank);
  for (std::int64_t n = 0; n < x.dim(0); ++n) {
    for (std::int64_t p = 0; p < points && plane > 0; ++p) {
      check_cancelled();
      const auto at = static_cast<std::size_t>(n * points + p) * rank;
      // The grid names the innermost axis first.
      for (std::size_t i = 0; i < rank; ++i) sampler.sample(coordinates[at + rank - 1 - i], sizes[i], terms[i]);
      std::fill(sums.begin(), sums.end(), 0.0);
      accumulate(terms, sizes, 0, 0, 1, xs.data() + n * channels * plane, plane, sums);
      for (std::int64_t c = 0; c < channels; ++c) {
        y[static_cast<std::size_t>((n * channels + c) * points + p)] = sums[static_cast<std::size_t>(c)];
      }
    }
  }
  context.set(0, from_doubles(x.dtype(), result, y));
}

/// grid[n, p] = theta[n] · (normalized coordinates of p, innermost first; 1)
void affine_grid(Context& context) {
  const Tensor& theta = context.input(0);
  const Shape result = checked_shape(context);
  const auto rank = static_cast<std::int64_t>(result.size()) - 2;
  if (theta.shape() != Shape{result[0], rank, rank + 1}) {
    throw ModelError(cat("theta is ", type_text(theta), ", expected ", shape_text(Shape{result[0], rank, rank + 1})));
  }
  const bool align = context.node().get_int("align_corners") != 0;
  const std::vector<double> matrix = to_doubles(theta);
  std::vector<double> y(detail::count_to_compute(result));
  if (y.empty()) return context.set(0, from_doubles(theta.dtype(), result, y));
  const Shape grid = part(result, 0, result.size() - 1);
  Shape index(grid.size(), 0);
  std::size_t out = 0;
  do {
    for (std::int64_t row = 0; row < rank; ++row) {
      const double* factors = matrix.data() + (index[0] * rank + row) * (rank + 1);
      double sum = factors[rank];
      for (std::int64_t i = 0; i < rank; ++i) {
        const auto axis = static_cast<std::size_t>(rank - i);  // innermost first
        const auto size = static_cast<double>(grid[axis]), at = static_cast<double>(index[axis]);
        const double aligned = size > 1 ? 2 * at / (size - 1) - 1 : 0;
        sum += factors[i] * (align ? aligned : (2 * at + 1) / size - 1);
      }
      y[out++] = sum;
    }
  } while (next_index(index, grid));
  context.set(0, from_doubles(theta.dtype(), result, y));
}

}  // namespace adze::reference::neural
