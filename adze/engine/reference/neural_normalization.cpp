#include <algorithm>
#include <cmath>

#include "adze/base/random.h"
#include "adze/base/text.h"
#include "adze/engine/reference/neural.h"
#include "adze/engine/reference/values.h"

namespace adze::reference::neural {

namespace {

struct Moments {
  double mean = 0;
  double variance = 0;  ///< of the population
};

/// Moments of the elements for which visit calls its argument.
template <typename Visit>
Moments moments_of(Visit&& visit) {
  double sum = 0, count = 0;
  visit([&](double value) { sum += value, ++count; });
  Moments moments;
  if (count == 0) return moments;
  moments.mean = sum / count;
  double squares = 0;
  visit([&](double value) { squares += (value - moments.mean) * (value - moments.mean); });
  moments.variance = squares / count;
  return moments;
}

Moments span_moments(std::span<const double> values) {
  return moments_of([&](auto&& take) {
    for (const double value : values) take(value);
  });
}

/// x [N, C, …] as planes.
struct Planes {
  std::int64_t batch, channels, size;
};

Planes planes_of(const Tensor& x) {
  Planes planes{x.dim(0), x.rank() > 1 ? x.dim(1) : 1, 1};
  planes.size = num_elements(x.rank() > 2 ? part(x.shape(), 2) : Shape{});
  return planes;
}

void require_length(const std::vector<double>& values, std::int64_t length, std::string_view what) {
  if (static_cast<std::int64_t>(values.size()) != length) {
    throw ModelError(cat(what, " has ", values.size(), " entries, expected ", length));
  }
}

void set_running(Context& context, std::size_t output, const Tensor& before, const std::vector<double>& current) {
  if (!context.wants(output)) return;
  const double momentum = context.node().get_float("momentum");
  std::vector<double> values = to_doubles(before);
  for (std::size_t c = 0; c < values.size(); ++c) values[c] = values[c] * momentum + current[c] * (1 - momentum);
  context.set(output, from_doubles(before.dtype(), before.shape(), values));
}

}  // namespace

/// y = (x − mean) / √(variance + ε) · scale + bias for each channel; the batch's own moments in training mode.
void batch_normalization(Context& context) {
  checked_types(context);
  const Tensor& x = context.input(0);
  const Planes planes = planes_of(x);
  const std::vector<double> scale = to_doubles(context.input(1)), bias = to_doubles(context.input(2));
  std::vector<double> mean = to_doubles(context.input(3)), variance = to_doubles(context.input(4));
  const double epsilon = context.node().get_float("epsilon");
  std::vector<double> y = to_doubles(x);
  const auto visit_channel = [&](std::int64_t c, auto&& f) {
    for (std::int64_t n = 0; n < planes.batch; ++n) {
      double* plane = y.data() + (n * planes.channels + c) * planes.size;
      for (std::int64_t i = 0; i < planes.size; ++i) f(plane[i]);
    }
  };
  for (std::int64_t c = 0; c < planes.channels; ++c) {
    const auto at = static_cast<std::size_t>(c);
    if (context.node().get_int("training_mode") != 0) {
      const Moments moments = moments_of([&](auto&& take) { visit_channel(c, take); });
      mean[at] = moments.mean;
      variance[at] = moments.variance;
    }
    const double deviation = std::sqrt(variance[at] + epsilon);
    visit_channel(c, [&](double& value) { value = (value - mean[at]) / deviation * scale[at] + bias[at]; });
  }
  set_running(context, 1, context.input(3), mean);
  set_running(context, 2, context.input(4), variance);
  context.set(0, from_doubles(x.dtype(), x.shape(), y));
}

namespace {

/// Normalizes each group of channels of each batch element; scale and bias per channel, or per group as in opset 18.
void normalize_groups(Context& context, std::int64_t groups) {
  const Tensor& x = context.input(0);
  const Planes planes = planes_of(x);
  if (x.empty()) return context.set(0, x);
  const std::vector<double> scale = to_doubles(context.input(1)), bias = to_doubles(context.input(2));
  const bool per_group = std::ssize(scale) == groups;
  require_length(scale, per_group ? groups : planes.channels, "scale");
  require_length(bias, std::ssize(scale), "bias");
  const double epsilon = context.node().get_float("epsilon");
  std::vector<double> y = to_doubles(x);
  const std::int64_t group_channels = planes.channels / groups;
  const auto size = static_cast<std::size_t>(group_channels * planes.size);
  for (std::size_t begin = 0; begin < y.size(); begin += size) {
    const std::span<double> values(y.data() + begin, size);
    const Moments moments = span_moments(values);
    const double deviation = std::sqrt(moments.variance + epsilon);
    const auto group = static_cast<std::int64_t>(begin / size) % groups;
    for (std::size_t i = 0; i < size; ++i) {
      const std::int64_t channel = group * group_channels + static_cast<std::int64_t>(i) / planes.size;
      const auto at = static_cast<std::size_t>(per_group ? group : channel);
      values[i] = (values[i] - moments.mean) / deviation * scale[at] + bias[at];
    }
  }
  context.set(0, from_doubles(x.dtype(), x.shape(), y));
}

}  // namespace

void instance_normalization(Context& context) {
  checked_types(context);
  normalize_groups(context, planes_of(context.input(0)).channels);
}

void group_normalization(Context& context) {
  checked_types(context);
  normalize_groups(context, context.node().get_int("num_groups"));
}

void layer_normalization(Context& context) {
  const std::vector<ValueType> types = checked_types(context);
  const Tensor& x = context.input(0);
  const std::int64_t axis = normalize_axis(context.node().get_int("axis"), x.rank());
  const Shape outer = part(x.shape(), 0, static_cast<std::size_t>(axis));
  const Shape inner = part(x.shape(), static_cast<std::size_t>(axis));
  const auto rows = static_cast<std::size_t>(num_elements(outer)), size = static_cast<std::size_t>(num_elements(inner));
  const std::vector<double> scale = to_doubles(context.input(1));
  const std::vector<double> bias = context.has(2) ? to_doubles(context.input(2)) : std::vector<double>(scale.size());
  if (size > 0 && (scale.empty() || size % scale.size() != 0 || bias.empty() || size % bias.size() != 0)) {
    throw ModelError("scale or bias does not broadcast to the normalized dimensions");
  }
  const double epsilon = context.node().get_float("epsilon");
  std::vector<double> y = to_doubles(x), mean(rows), inverse(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    const std::span<double> values(y.data() + row * size, size);
    const Moments moments = span_moments(values);
    mean[row] = moments.mean;
    inverse[row] = 1 / std::sqrt(moments.variance + epsilon);
    for (std::size_t i = 0; i < size; ++i) {
      values[i] = (values[i] - mean[row]) * inverse[row] * scale[i % scale.size()] + bias[i % bias.size()];
    }
  }
  Shape statistics = outer;
  statistics.resize(x.shape().size(), 1);
  const DType stash = static_cast<DType>(context.node().get_int("stash_type"));
  context.set(0, from_doubles(x.dtype(), x.shape(), y));
  if (context.wants(1)) context.set(1, from_doubles(stash, statistics, mean));
  if (context.wants(2)) context.set(2, from_doubles(stash, statistics, inverse));
}

/// y = x / (bias + alpha / size · Σ x²)^beta, the sum over size neighbouring channels.
void lrn(Context& context) {
  checked_types(context);
  const Tensor& x = context.input(0);
  const Node& node = context.node();
  const std::int64_t size = node.get_int("size");
  const double alpha = node.get_float("alpha"), beta = node.get_float("beta"), bias = node.get_float("bias");
  const Planes planes = planes_of(x);
  const std::vector<double> xs = to_doubles(x);
  std::vector<double> y(xs.size());
  for (std::size_t at = 0; at < xs.size(); ++at) {
    const auto flat = static_cast<std::int64_t>(at);
    const std::int64_t channel = flat / planes.size % planes.channels;
    const std::int64_t first = std::max<std::int64_t>(0, channel - (size - 1) / 2);
    const std::int64_t last = std::min(planes.channels - 1, channel + (size - 1) - (size - 1) / 2);
    double squares = 0;
    for (std::int64_t c = first; c <= last; ++c) {
      const double value = xs[static_cast<std::size_t>(flat + (c - channel) * planes.size)];
      squares += value * value;
    }
    y[at] = xs[at] / std::pow(bias + alpha / static_cast<double>(size) * squares, beta);
  }
  context.set(0, from_doubles(x.dtype(), x.shape(), y));
}

/// Copies the input, unless training_mode is true: then elements are dropped with probability ratio.
void dropout(Context& context) {
  const Tensor& x = context.input(0);
  const double ratio = scalar_or(context, 1, 0.5);
  if (!(ratio >= 0 && ratio < 1)) throw ModelError(cat("ratio is ", ratio, "; it must be in [0, 1)"));
  const bool drops = int_or(context, 2, 0) != 0 && ratio > 0;
  const std::uint64_t seed = static_cast<std::uint64_t>(context.node().get_int("seed", 0));
  Random random = Random(context.options().seed).split(seed);
  std::vector<double> mask(static_cast<std::size_t>(x.size()), 1);
  if (drops) {
    std::vector<double> y = to_doubles(x);
    for (std::size_t i = 0; i < y.size(); ++i) {
      mask[i] = random.uniform() < ratio ? 0 : 1;
      y[i] = y[i] * mask[i] / (1 - ratio);
    }
    context.set(0, from_doubles(x.dtype(), x.shape(), y));
  } else {
    context.set(0, x);
  }
  if (context.wants(1)) context.set(1, from_doubles(DType::Bool, x.shape(), mask));
}

}  // namespace adze::reference::neural
