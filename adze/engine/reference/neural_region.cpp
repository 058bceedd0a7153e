#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "adze/base/progress.h"
#include "adze/base/text.h"
#include "adze/engine/reference/detail/elements.h"
#include "adze/engine/reference/neural.h"
#include "adze/engine/reference/values.h"

namespace adze::reference::neural {

namespace {

std::int64_t checked_batch(double index, std::int64_t batch) {
  if (!(index >= 0 && index < static_cast<double>(batch))) {
    throw ModelError(cat("a region's batch index ", index, " is outside of the ", batch, " elements"));
  }
  return static_cast<std::int64_t>(index);
}

void check_region(std::span<const double> region, double scale) {
  if (!(std::abs(scale) < 1e6)) throw ModelError(cat("spatial_scale is ", scale));
  for (const double value : region) {
    if (!(std::abs(value) < 1e9)) throw ModelError(cat("a region's corner ", value, " is not a sensible coordinate"));
  }
}

struct Plane {
  const double* data;
  std::int64_t height, width;
};

/// The four weighted neighbours of a point; all zero outside of the plane.
std::array<double, 4> bilinear_parts(const Plane& plane, double y, double x) {
  const auto height = static_cast<double>(plane.height), width = static_cast<double>(plane.width);
  if (y < -1 || y > height || x < -1 || x > width) return {};
  y = std::min(std::max(y, 0.0), height - 1);
  x = std::min(std::max(x, 0.0), width - 1);
  const auto top = static_cast<std::int64_t>(y), left = static_cast<std::int64_t>(x);
  const std::int64_t bottom = std::min(top + 1, plane.height - 1), right = std::min(left + 1, plane.width - 1);
  const double down = y - static_cast<double>(top), across = x - static_cast<double>(left);
  const auto at = [&](std::int64_t row, std::int64_t column) { return plane.data[row * plane.width + column]; };
  return {(1 - down) * (1 - across) * at(top, left), (1 - down) * across * at(top, right),
          down * (1 - across) * at(bottom, left), down * across * at(bottom, right)};
}

struct Bins {
  double top, left, bin_height, bin_width;
  std::int64_t grid_height, grid_width;  ///< samples per bin
};

Bins bins_of(const Node& node, std::span<const double> region, std::int64_t out_height, std::int64_t out_width) {
  const double scale = node.get_float("spatial_scale");
  check_region(region, scale);
  const bool half_pixel = node.get_string("coordinate_transformation_mode") == "half_pixel";
  const double offset = half_pixel ? 0.5 : 0;
  double width = (region[2] - region[0]) * scale, height = (region[3] - region[1]) * scale;
  if (!half_pixel) width = std::max(width, 1.0), height = std::max(height, 1.0);
  Bins bins;
  bins.left = region[0] * scale - offset;
  bins.top = region[1] * scale - offset;
  bins.bin_height = height / static_cast<double>(out_height);
  bins.bin_width = width / static_cast<double>(out_width);
  const std::int64_t ratio = node.get_int("sampling_ratio");
  const double rows = ratio > 0 ? static_cast<double>(ratio) : std::max(0.0, std::ceil(bins.bin_height));
  const double columns = ratio > 0 ? static_cast<double>(ratio) : std::max(0.0, std::ceil(bins.bin_width));
  constexpr double most_samples = 1 << 24;
  if (!(rows * columns <= most_samples)) throw LimitError("a region needs too many samples per bin");
  bins.grid_height = static_cast<std::int64_t>(rows);
  bins.grid_width = static_cast<std::int64_t>(columns);
  return bins;
}

double pooled_bin(const Plane& plane, const Bins& bins, std::int64_t row, std::int64_t column, bool takes_max) {
  double sum = 0, largest = 0;
  bool first = true;
  for (std::int64_t i = 0; i < bins.grid_height; ++i) {
    const double fraction = (static_cast<double>(i) + 0.5) / static_cast<double>(bins.grid_height);
    const double y = bins.top + (static_cast<double>(row) + fraction) * bins.bin_height;
    for (std::int64_t j = 0; j < bins.grid_width; ++j) {
      const double part = (static_cast<double>(j) + 0.5) / static_cast<double>(bins.grid_width);
      const double x = bins.left + (static_cast<double>(column) + part) * bins.bin_width;
      const auto parts = bilinear_parts(plane, y, x);
      // ONNX's max is over the weighted neighbours, not over the interpolated samples.
      const double most = *std::max_element(parts.begin(), parts.end());
      largest = first ? most : std::max(largest, most);
      first = false;
      sum += std::accumulate(parts.begin(), parts.end(), 0.0);
    }
  }
  const auto count = static_cast<double>(std::max<std::int64_t>(1, bins.grid_height * bins.grid_width));
  return takes_max ? largest : sum / count;
}

}  // namespace

/// Source  He et al., Mask R-CNN, 2017
void roi_align(Context& context) {
  const Tensor& x = context.input(0);
  const Shape result = checked_shape(context);
  const std::string mode = context.node().get_string("mode");
  if (mode != "avg" && mode != "max") throw ModelError(cat("mode ", quoted(mode), " must be avg or max"));
  const std::vector<double> xs = to_doubles(x), regions = to_doubles(context.input(1));
  const std::int64_t height = x.dim(2), width = x.dim(3), channels = x.dim(1);
  if (height == 0 || width == 0) throw ModelError("a plane without elements has no regions");
  std::vector<double> y(detail::count_to_compute(result));
  std::size_t out = 0;
  for (std::int64_t r = 0; r < result[0]; ++r) {
    const std::int64_t n = checked_batch(context.input(2).get_double(r), x.dim(0));
    const Bins bins =
        bins_of(context.node(), std::span(regions).subspan(static_cast<std::size_t>(r) * 4, 4), result[2], result[3]);
    for (std::int64_t c = 0; c < channels; ++c) {
      check_cancelled();
      const Plane plane{xs.data() + (n * channels + c) * height * width, height, width};
      for (std::int64_t row = 0; row < result[2]; ++row) {
        for (std::int64_t column = 0; column < result[3]; ++column) {
          y[out++] = pooled_bin(plane, bins, row, column, mode == "max");
        }
      }
    }
  }
  context.set(0, from_doubles(x.dtype(), result, y));
}

/// Source  Girshick, Fast R-CNN, 2015
void max_roi_pool(Context& context) {
  const Tensor& x = context.input(0);
  const Shape result = checked_shape(context);
  const double scale = context.node().get_float("spatial_scale");
  const std::vector<double> xs = to_doubles(x), regions = to_doubles(context.input(1));
  const std::int64_t height = x.dim(2), width = x.dim(3), channels = x.dim(1);
  std::vector<double> y(detail::count_to_compute(result));
  std::size_t out = 0;
  const auto range = [](double begin, double size, std::int64_t bin, std::int64_t bins, std::int64_t limit) {
    const double step = size / static_cast<double>(bins);
    const double from = std::floor(static_cast<double>(bin) * step) + begin;
    const double to = std::ceil(static_cast<double>(bin + 1) * step) + begin;
    const auto bound = static_cast<double>(limit);
    return std::pair(static_cast<std::int64_t>(std::clamp(from, 0.0, bound)),
                     static_cast<std::int64_t>(std::clamp(to, 0.0, bound)));
  };
  for (std::int64_t r = 0; r < result[0]; ++r) {
    const auto region = std::span(regions).subspan(static_cast<std::size_t>(r) * 5, 5);
    check_region(region, scale);
    const std::int64_t n = checked_batch(region[0], x.dim(0));
    const double left = std::round(region[1] * scale), top = std::round(region[2] * scale);
    const double wide = std::max(1.0, std::round(region[3] * scale) - left + 1);
    const double high = std::max(1.0, std::round(region[4] * scale) - top + 1);
    for (std::int64_t bin = 0; bin < channels * result[2] * result[3]; ++bin) {
      check_cancelled();
      const double* plane = xs.data() + (n * channels + bin / (result[2] * result[3])) * height * width;
      const auto [y0, y1] = range(top, high, bin / result[3] % result[2], result[2], height);
      const auto [x0, x1] = range(left, wide, bin % result[3], result[3], width);
      double best = y1 > y0 && x1 > x0 ? -HUGE_VAL : 0;
      for (std::int64_t i = y0; i < y1; ++i) {
        for (std::int64_t j = x0; j < x1; ++j) best = std::max(best, plane[i * width + j]);
      }
      y[out++] = best;
    }
  }
  context.set(0, from_doubles(x.dtype(), result, y));
}

namespace {

struct Box {
  double left, top, right, bottom;
  double area() const { return (right - left) * (bottom - top); }
};

std::vector<Box> boxes_of(const std::vector<double>& values, bool centered) {
  std::vector<Box> boxes;
  for (std::size_t i = 0; i + 4 <= values.size(); i += 4) {
    const double* v = values.data() + i;
    if (centered) {
      boxes.push_back({v[0] - v[2] / 2, v[1] - v[3] / 2, v[0] + v[2] / 2, v[1] + v[3] / 2});
    } else {  // two opposite corners, y before x, in any order
      boxes.push_back({std::min(v[1], v[3]), std::min(v[0], v[2]), std::max(v[1], v[3]), std::max(v[0], v[2])});
    }
  }
  return boxes;
}

double overlap(const Box& a, const Box& b) {
  const double width = std::min(a.right, b.right) - std::max(a.left, b.left);
  const double height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  if (!(width > 0 && height > 0)) return 0;
  const double both = width * height;
  return both / (a.area() + b.area() - both);
}

}  // namespace

/// For each batch element and class the boxes by falling score, without those that overlap a better one too much.
void non_max_suppression(Context& context) {
  checked_types(context);
  const Tensor& scores = context.input(1);
  const std::int64_t limit = int_or(context, 2, 0);
  const double most_overlap = scalar_or(context, 3, 0), least_score = scalar_or(context, 4, -HUGE_VAL);
  if (!(most_overlap >= 0 && most_overlap <= 1)) throw ModelError("iou_threshold must be in [0, 1]");
  const auto boxes = boxes_of(to_doubles(context.input(0)), context.node().get_int("center_point_box") != 0);
  const std::vector<double> values = to_doubles(scores);
  const std::int64_t classes = scores.dim(1), count = scores.dim(2);
  std::vector<std::int64_t> chosen;
  for (std::int64_t line = 0; line < scores.dim(0) * classes && limit > 0; ++line) {
    const double* score = values.data() + line * count;
    const Box* box = boxes.data() + line / classes * count;
    std::vector<std::int64_t> order;
    for (std::int64_t i = 0; i < count; ++i) {
      if (score[i] > least_score) order.push_back(i);  // never a NaN
    }
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return score[a] > score[b]; });
    std::vector<std::int64_t> kept;
    for (const std::int64_t candidate : order) {
      check_cancelled();
      if (std::ssize(kept) >= limit) break;
      const bool covered = std::any_of(kept.begin(), kept.end(), [&](std::int64_t other) {
        return overlap(box[candidate], box[other]) > most_overlap;
      });
      if (covered) continue;
      kept.push_back(candidate);
      chosen.insert(chosen.end(), {line / classes, line % classes, candidate});
    }
  }
  context.set(0, from_integers(DType::S64, {std::ssize(chosen) / 3, 3}, chosen));
}

}  // namespace adze::reference::neural
