#include "adze/base/progress.h"
#include "adze/base/text.h"
#include "adze/engine/reference/detail/elements.h"
#include "adze/engine/reference/neural.h"
#include "adze/engine/reference/taps.h"
#include "adze/engine/reference/values.h"

namespace adze::reference::neural {

namespace {

SymbolicShape spatial(const Shape& shape) {
  return symbolic(part(shape, 2));
}

/// Shapes of a convolution, checked: x [N, C, in…], w [M, C/group, k…], y [N, M, out…].
struct Geometry {
  Window window;
  Shape input, output;  ///< spatial
  std::int64_t batch, in_channels, out_channels, group;
  Shape result;  ///< of the whole output
};

Geometry conv_geometry(const Context& context, const Tensor& x, const Tensor& w) {
  Geometry g;
  g.result = checked_shape(context);
  g.window = window_of(context.node(), static_cast<std::size_t>(x.rank() - 2), spatial(w.shape()));
  g.input = part(x.shape(), 2);
  g.output = part(g.result, 2);
  resolve_pads(g.window, g.input);
  g.batch = x.dim(0), g.in_channels = x.dim(1), g.out_channels = w.dim(0), g.group = context.node().get_int("group");
  return g;
}

/// y[n, m, p] = start[m] + Σ_c Σ_k x[n, c, p·stride + k·dilation − pad] · w[m, c, k]
template <typename T>
std::vector<T> convolve(const Geometry& g, const std::vector<T>& x, const std::vector<T>& w,
                        const std::vector<T>& start) {
  const std::int64_t in_size = num_elements(g.input), out_size = num_elements(g.output);
  const std::int64_t kernel_size = num_elements(g.window.kernel);
  const std::int64_t channels = g.in_channels / g.group, filters = g.out_channels / g.group;
  std::vector<T> y(detail::count_to_compute(g.result));
  if (y.empty()) return y;
  Shape position(g.output.size(), 0);
  std::vector<Tap> taps;
  std::int64_t p = 0;
  do {
    check_cancelled();
    taps_at(g.window, g.input, position, taps);
    for (std::int64_t n = 0; n < g.batch; ++n) {
      for (std::int64_t m = 0; m < g.out_channels; ++m) {
        T sum = start.empty() ? T(0) : start[static_cast<std::size_t>(m)];
        const T* from = x.data() + (n * g.in_channels + m / filters * channels) * in_size;
        const T* weight = w.data() + m * channels * kernel_size;
        for (std::int64_t c = 0; c < channels; ++c, from += in_size, weight += kernel_size) {
          for (const Tap& tap : taps) sum += from[tap.input] * weight[tap.kernel];
        }
        y[static_cast<std::size_t>((n * g.out_channels + m) * out_size + p)] = sum;
      }
    }
    ++p;
  } while (next_index(position, g.output));
  return y;
}

std::vector<std::int64_t> less_zero_point(const Tensor& tensor, const Tensor* zero_point, bool per_channel) {
  std::vector<std::int64_t> values = to_ints(tensor);
  if (zero_point == nullptr || tensor.empty()) return values;
  const bool single = zero_point->size() == 1;
  if (!single && (!per_channel || zero_point->size() != tensor.dim(0))) {
    throw ModelError(cat("zero point ", type_text(*zero_point), " does not fit ", type_text(tensor)));
  }
  const std::int64_t step = tensor.size() / (single ? 1 : tensor.dim(0));
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    values[static_cast<std::size_t>(i)] -= zero_point->get_int(single ? 0 : i / step);
  }
  return values;
}

}  // namespace

void conv(Context& context) {
  const Tensor& x = context.input(0);
  const Tensor& w = context.input(1);
  const Geometry geometry = conv_geometry(context, x, w);
  const std::vector<double> bias = context.has(2) ? to_doubles(context.input(2)) : std::vector<double>{};
  context.set(0, from_doubles(x.dtype(), geometry.result, convolve(geometry, to_doubles(x), to_doubles(w), bias)));
}

void conv_integer(Context& context) {
  const Tensor& x = context.input(0);
  const Tensor& w = context.input(1);
  const Geometry geometry = conv_geometry(context, x, w);
  const auto x_values = less_zero_point(x, context.optional_input(2), false);
  const auto w_values = less_zero_point(w, context.optional_input(3), true);
  context.set(0, from_integers(DType::S32, geometry.result, convolve(geometry, x_values, w_values, {})));
}

/// y[n, m, p·stride + k·dilation − pad] += x[n, c, p] · w[c, m, k]: the window slides over the output.
void conv_transpose(Context& context) {
  const Tensor& x = context.input(0);
  const Tensor& w = context.input(1);
  const Shape result = checked_shape(context);
  auto geometry = transposed_window_of(context.node(), static_cast<std::size_t>(x.rank() - 2), spatial(w.shape()));
  const Shape input = part(x.shape(), 2), output = part(result, 2);
  resolve_pads(geometry, input);
  const std::int64_t group = context.node().get_int("group");
  const std::int64_t in_size = num_elements(input), out_size = num_elements(output);
  const std::int64_t filters = w.dim(1), channels = x.dim(1), kernel_size = num_elements(geometry.window.kernel);
  const std::vector<double> xs = to_doubles(x), ws = to_doubles(w);
  std::vector<double> y(detail::count_to_compute(result));
  if (context.has(2)) {
    const std::vector<double> bias = to_doubles(context.input(2));
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = bias[i / static_cast<std::size_t>(out_size) % bias.size()];
  }
  Shape position(input.size(), 0);
  std::vector<Tap> taps;
  for (std::int64_t p = 0; p < in_size; ++p, next_index(position, input)) {
    check_cancelled();
    taps_at(geometry.window, output, position, taps);
    for (std::int64_t nc = 0; nc < x.dim(0) * channels; ++nc) {
      const std::int64_t n = nc / channels, c = nc % channels;
      const double value = xs[static_cast<std::size_t>(nc * in_size + p)];
      for (std::int64_t m = 0; m < filters; ++m) {
        const std::int64_t out_channel = n * filters * group + c / (channels / group) * filters + m;
        double* to = y.data() + out_channel * out_size;
        const double* weight = ws.data() + (c * filters + m) * kernel_size;
        for (const Tap& tap : taps) to[tap.input] += value * weight[tap.kernel];
      }
    }
  }
  context.set(0, from_doubles(x.dtype(), result, y));
}

}  // namespace adze::reference::neural
