#include <algorithm>
#include <cmath>

#include "adze/base/progress.h"
#include "adze/base/text.h"
#include "adze/engine/reference/detail/elements.h"
#include "adze/engine/reference/interpolate.h"
#include "adze/engine/reference/neural.h"
#include "adze/engine/reference/resize_terms.h"
#include "adze/engine/reference/values.h"

namespace adze::reference::neural {

namespace {

/// How Resize treats one axis.
struct AxisResize {
  std::int64_t input = 0, output = 0;
  double scale = 1;
  double roi_begin = 0, roi_end = 1;
};

/// Does the axis stay as it is?
bool is_kept(const AxisResize& axis) {
  return axis.output == axis.input && axis.scale == 1;
}

struct ResizeMode {
  std::string mode = "nearest", coordinates = "half_pixel", nearest = "round_prefer_floor";
  double cubic_a = -0.75, extrapolation = 0;
  bool exclude_outside = false, antialias = false;
};

/// An output position along an axis as a weighted sum of input positions; outside: it takes the extrapolation value.
struct Sample {
  std::vector<std::pair<std::int64_t, double>> terms;
  bool outside = false;
};

/// Where output position x lies on the input's axis.
double original_coordinate(const ResizeMode& mode, const AxisResize& axis, double x) {
  const auto input = static_cast<double>(axis.input), output = static_cast<double>(axis.output);
  const double exact_output = axis.scale * input;  // before rounding to whole elements
  const std::string& kind = mode.coordinates;
  if (kind == "half_pixel") return (x + 0.5) / axis.scale - 0.5;
  if (kind == "half_pixel_symmetric") {
    const double offset = input / 2 * (1 - output / exact_output);
    return offset + (x + 0.5) / axis.scale - 0.5;
  }
  if (kind == "pytorch_half_pixel") return output > 1 ? (x + 0.5) / axis.scale - 0.5 : 0;
  if (kind == "align_corners") return exact_output == 1 ? 0 : x * (input - 1) / (exact_output - 1);
  if (kind == "asymmetric") return x / axis.scale;
  if (kind == "tf_half_pixel_for_nn") return (x + 0.5) / axis.scale;
  if (kind == "tf_crop_and_resize") {
    if (output <= 1) return 0.5 * (axis.roi_begin + axis.roi_end) * (input - 1);
    const double step = (axis.roi_end - axis.roi_begin) * (input - 1) / (exact_output - 1);
    return axis.roi_begin * (input - 1) + x * step;
  }
  throw ModelError(cat("coordinate_transformation_mode ", quoted(kind), " is not known"));
}

double nearest_coordinate(const std::string& mode, double x) {
  if (mode == "round_prefer_floor") return std::ceil(x - 0.5);
  if (mode == "round_prefer_ceil") return std::floor(x + 0.5);
  if (mode == "floor") return std::floor(x);
  if (mode == "ceil") return std::ceil(x);
  throw ModelError(cat("nearest_mode ", quoted(mode), " is not known"));
}

Sample sample_at(const ResizeMode& mode, const AxisResize& axis, std::int64_t position) {
  Sample sample;
  const double x = original_coordinate(mode, axis, static_cast<double>(position));
  const auto last = static_cast<double>(axis.input - 1);
  if (!std::isfinite(x)) throw ModelError("a resized coordinate is not finite");
  sample.outside = mode.coordinates == "tf_crop_and_resize" && (x < 0 || x > last);
  if (sample.outside) return sample;
  const auto clamped = [&](double at) { return static_cast<std::int64_t>(std::clamp(at, 0.0, last)); };
  if (mode.mode == "nearest") {
    sample.terms.emplace_back(clamped(nearest_coordinate(mode.nearest, x)), 1.0);
    return sample;
  }
  const bool cubic = mode.mode == "cubic";
  if (!cubic && mode.mode != "linear") throw ModelError(cat("mode ", quoted(mode.mode), " is not known"));
  // Antialiasing widens the filter to cover all input elements that fall on one output element.
  const double shrink = mode.antialias ? std::min(axis.scale, 1.0) : 1.0;
  const double reach = (cubic ? 2 : 1) / shrink;
  const double first = std::floor(x) + std::floor(-reach) + 1;
  const auto count = static_cast<int>(std::ceil(reach) - std::floor(-reach));
  double total = 0;
  for (int tap = 0; tap < count; ++tap) {
    const double at = first + tap;
    if (mode.exclude_outside && (at < 0 || at > last)) continue;
    const double distance = (at - x) * shrink;
    const double weight = cubic ? cubic_filter(distance, mode.cubic_a) : linear_filter(distance);
    if (weight == 0) continue;
    sample.terms.emplace_back(clamped(at), weight);
    total += weight;
  }
  const bool normalize = mode.exclude_outside || mode.antialias;
  for (auto& term : sample.terms) term.second /= normalize && total != 0 ? total : 1;
  return sample;
}

/// Resamples dimension `at` of values of the given shape, which it updates.
void resize_axis(const ResizeMode& mode, const AxisResize& axis, std::size_t at, Shape& shape,
                 std::vector<double>& values, std::vector<std::vector<bool>>& outside) {
  const auto outer = static_cast<std::size_t>(num_elements(part(shape, 0, at)));
  const auto inner = static_cast<std::size_t>(num_elements(part(shape, at + 1)));
  const auto input = static_cast<std::size_t>(axis.input), output = static_cast<std::size_t>(axis.output);
  shape[at] = axis.output;
  std::vector<double> result(detail::count_to_compute(shape));
  outside[at].assign(output, false);
  for (std::size_t position = 0; position < output; ++position) {
    check_cancelled();
    const Sample sample = sample_at(mode, axis, static_cast<std::int64_t>(position));
    outside[at][position] = sample.outside;
    for (std::size_t o = 0; o < outer; ++o) {
      double* to = result.data() + (o * output + position) * inner;
      for (const auto& [source, weight] : sample.terms) {
        const double* from = values.data() + (o * input + static_cast<std::size_t>(source)) * inner;
        for (std::size_t i = 0; i < inner; ++i) to[i] += weight * from[i];
      }
    }
  }
  values = std::move(result);
}

void extrapolate(const std::vector<std::vector<bool>>& outside, const Shape& shape, double value,
                 std::vector<double>& values) {
  if (values.empty()) return;
  Shape index(shape.size(), 0);
  std::size_t offset = 0;
  do {
    for (std::size_t i = 0; i < index.size(); ++i) {
      if (!outside[i].empty() && outside[i][static_cast<std::size_t>(index[i])]) values[offset] = value;
    }
    ++offset;
  } while (next_index(index, shape));
}

void run_resize(Context& context, const ResizeMode& mode, const std::vector<AxisResize>& axes) {
  const Tensor& x = context.input(0);
  Shape shape = x.shape();
  std::vector<double> values = to_doubles(x);
  std::vector<std::vector<bool>> outside(shape.size());
  const bool crops = mode.coordinates == "tf_crop_and_resize";
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i].input == 0 && axes[i].output > 0) throw ModelError("a dimension of size 0 cannot be enlarged");
    if (is_kept(axes[i]) && !crops) continue;
    resize_axis(mode, axes[i], i, shape, values, outside);
  }
  if (crops) extrapolate(outside, shape, mode.extrapolation, values);
  if (!is_float(x.dtype())) {
    for (double& value : values) value = std::nearbyint(value);
  }
  context.set(0, from_doubles(x.dtype(), shape, values));
}

/// Which dimension each entry of scales, sizes and roi speaks of.
std::vector<std::size_t> resized_axes(const Node& node, std::int64_t rank) {
  std::vector<std::size_t> axes;
  for (const std::int64_t axis : node.get_ints("axes"))
    axes.push_back(static_cast<std::size_t>(normalize_axis(axis, rank)));
  for (std::int64_t i = 0; axes.size() < static_cast<std::size_t>(rank) && node.get_ints("axes").empty(); ++i) {
    axes.push_back(static_cast<std::size_t>(i));
  }
  return axes;
}

}  // namespace

namespace {

/// The node's way to resize tensors of shape x to shape y by scales or sizes, of which one is null.
ResizeMode mode_of(const Node& node) {
  return {node.get_string("mode"),
          node.get_string("coordinate_transformation_mode"),
          node.get_string("nearest_mode"),
          node.get_float("cubic_coeff_a"),
          node.get_float("extrapolation_value"),
          node.get_int("exclude_outside") != 0,
          node.get_int("antialias") != 0};
}

std::vector<AxisResize> axes_of(const Node& node, const Shape& x, const Shape& y, const Tensor* scales,
                                const Tensor* sizes, const Tensor* roi) {
  const auto chosen = resized_axes(node, static_cast<std::int64_t>(x.size()));
  if (roi != nullptr && roi->size() != 2 * std::ssize(chosen)) throw ModelError("roi has the wrong length");
  std::vector<AxisResize> axes(x.size());
  for (std::size_t i = 0; i < axes.size(); ++i) axes[i].input = axes[i].output = x[i];
  const bool keeps_ratio = sizes != nullptr && node.get_string("keep_aspect_ratio_policy") != "stretch";
  const bool not_larger = node.get_string("keep_aspect_ratio_policy") == "not_larger";
  double common = not_larger ? HUGE_VAL : 0;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    AxisResize& axis = axes[chosen[i]];
    const auto at = static_cast<std::int64_t>(i);
    axis.output = y[chosen[i]];
    const double ratio = sizes != nullptr ? sizes->get_double(at) / static_cast<double>(axis.input) : 1;
    axis.scale = scales != nullptr ? scales->get_double(at) : ratio;
    common = not_larger ? std::min(common, ratio) : std::max(common, ratio);
    if (roi != nullptr) {
      axis.roi_begin = roi->get_double(at);
      axis.roi_end = roi->get_double(at + std::ssize(chosen));
    }
  }
  for (const std::size_t i : chosen) {
    if (keeps_ratio) axes[i].scale = common;
  }
  return axes;
}

}  // namespace

void resize(Context& context) {
  const Tensor& x = context.input(0);
  const Node& node = context.node();
  const Tensor* scales = context.optional_input(2);
  const Tensor* sizes = context.optional_input(3);
  if (scales != nullptr && scales->empty()) scales = nullptr;
  if (sizes != nullptr && sizes->empty()) sizes = nullptr;
  if ((scales == nullptr) == (sizes == nullptr)) throw ModelError("exactly one of scales and sizes must be given");
  const Shape result = checked_shape(context);
  const ResizeMode mode = mode_of(node);
  const Tensor* roi = mode.coordinates == "tf_crop_and_resize" ? &context.input(1) : nullptr;
  run_resize(context, mode, axes_of(node, x.shape(), result, scales, sizes, roi));
}

std::vector<ResizeTerms> resize_terms(const Node& node, const Shape& x, const Shape& y, const Tensor* scales,
                                      const Tensor* sizes) {
  const ResizeMode mode = mode_of(node);
  if (mode.coordinates == "tf_crop_and_resize") throw InternalError("crops are no weighted sums");
  const std::vector<AxisResize> axes = axes_of(node, x, y, scales, sizes, nullptr);
  std::vector<ResizeTerms> all(axes.size());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (is_kept(axes[i])) continue;
    for (std::int64_t to = 0; to < axes[i].output; ++to) all[i].push_back(sample_at(mode, axes[i], to).terms);
  }
  return all;
}

/// Resize as it was before opset 10: no shift of the grid, nearest rounds down.
void upsample(Context& context) {
  const Tensor& x = context.input(0);
  const Tensor& scales = context.input(1);
  const Shape result = checked_shape(context);
  ResizeMode mode;
  mode.mode = context.node().get_string("mode") == "nearest" ? "nearest" : "linear";
  mode.coordinates = "asymmetric";
  mode.nearest = "floor";
  std::vector<AxisResize> axes;
  for (std::int64_t i = 0; i < x.rank(); ++i) {
    axes.push_back({x.dim(i), result[static_cast<std::size_t>(i)], scales.get_double(i), 0, 1});
  }
  run_resize(context, mode, axes);
}

}  // namespace adze::reference::neural
