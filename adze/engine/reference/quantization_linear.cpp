// QLinearConv and QLinearMatMul: integer sums, then one float32 factor, rounded half to even and saturated.
#include "adze/base/progress.h"
#include "adze/base/text.h"
#include "adze/engine/reference/detail/elements.h"
#include "adze/engine/reference/quantization.h"
#include "adze/engine/reference/taps.h"
#include "adze/engine/reference/values.h"

namespace adze::reference::quantization {

namespace {

/// A scale input and its zero point: one number, or one per index.
struct Grid {
  std::vector<float> scales;
  std::vector<std::int64_t> zero_points;
  float scale(std::int64_t i) const { return scales[scales.size() == 1 ? 0 : static_cast<std::size_t>(i)]; }
  std::int64_t zero_point(std::int64_t i) const {
    return zero_points[zero_points.size() == 1 ? 0 : static_cast<std::size_t>(i)];
  }
};

Grid grid_of(const Context& context, std::size_t scale, std::int64_t count) {
  Grid grid{to_floats(context.input(scale)), to_ints(context.input(scale + 1))};
  for (const std::size_t size : {grid.scales.size(), grid.zero_points.size()}) {
    if (size != 1 && static_cast<std::int64_t>(size) != count) {
      throw ModelError(cat("input ", scale, " has ", size, " scales or zero points, expected 1 or ", count));
    }
  }
  return grid;
}

}  // namespace

void qlinear_conv(Context& context) {
  const Node& node = context.node();
  const Tensor& x = context.input(0);
  const Tensor& w = context.input(3);
  const Shape result = checked_shape(context);
  const std::int64_t filters = w.dim(0), channels = w.dim(1), group_size = filters / node.get_int("group");
  const Grid gx = grid_of(context, 1, 1), gw = grid_of(context, 4, filters), gy = grid_of(context, 6, 1);
  Window window = window_of(node, static_cast<std::size_t>(x.rank() - 2), symbolic(part(w.shape(), 2)));
  const Shape in = part(x.shape(), 2), out = part(result, 2);
  resolve_pads(window, in);
  const std::int64_t in_size = num_elements(in), out_size = num_elements(out),
                     kernel_size = num_elements(window.kernel);
  const auto xs = to_ints(x), ws = to_ints(w);
  const auto bias =
      context.has(8) ? to_ints(context.input(8)) : std::vector<std::int64_t>(static_cast<std::size_t>(filters), 0);
  if (std::ssize(bias) != filters) throw ModelError(cat(bias.size(), " biases for ", filters, " output channels"));
  const DType dtype = context.input(7).dtype();
  std::vector<std::int64_t> ys(detail::count_to_compute(result));
  std::vector<Tap> taps;
  Shape position(out.size(), 0);
  for (std::int64_t p = 0; p < out_size && !ys.empty(); ++p, next_index(position, out)) {
    check_cancelled();
    taps_at(window, in, position, taps);
    for (std::int64_t plane = 0; plane < x.dim(0) * filters; ++plane) {
      const std::int64_t n = plane / filters, m = plane % filters;
      const std::int64_t* from = xs.data() + (n * x.dim(1) + m / group_size * channels) * in_size;
      const std::int64_t* weight = ws.data() + m * channels * kernel_size;
      std::int64_t sum = bias[static_cast<std::size_t>(m)];
      for (std::int64_t c = 0; c < channels; ++c, from += in_size, weight += kernel_size) {
        for (const Tap& tap : taps)
          sum += (from[tap.input] - gx.zero_point(0)) * (weight[tap.kernel] - gw.zero_point(m));
      }
      const float factor = gx.scale(0) * gw.scale(m) / gy.scale(0);
      ys[static_cast<std::size_t>(plane * out_size + p)] =
          round_into(static_cast<float>(sum) * factor, gy.zero_point(0), dtype);
    }
  }
  context.set(0, from_integers(dtype, result, ys));
}

void qlinear_matmul(Context& context) {
  const Tensor& a = context.input(0);
  const Tensor& b = context.input(3);
  const Shape result = checked_shape(context);
  Shape left = a.shape(), right = b.shape();
  if (left.size() == 1) left.insert(left.begin(), 1);
  if (right.size() == 1) right.push_back(1);
  const std::int64_t rows = left[left.size() - 2], depth = left.back(), columns = right.back();
  const Grid ga = grid_of(context, 1, rows), gb = grid_of(context, 4, columns), gy = grid_of(context, 6, 1);
  const Shape batch = broadcast_shapes(part(left, 0, left.size() - 2), part(right, 0, right.size() - 2));
  const auto as = to_ints(a), bs = to_ints(b);
  const DType dtype = context.input(7).dtype();
  std::vector<std::int64_t> ys;
  Shape index(batch.size(), 0);
  const auto start = [&](const Shape& own) {
    std::int64_t offset = 0;
    for (std::size_t i = 0; i + 2 < own.size(); ++i) {
      offset = offset * own[i] + (own[i] == 1 ? 0 : index[batch.size() + 2 - own.size() + i]);
    }
    return offset * own[own.size() - 2] * own.back();
  };
  for (std::int64_t matrix = 0; matrix < num_elements(batch); ++matrix, next_index(index, batch)) {
    check_cancelled();
    const std::int64_t a_start = start(left), b_start = start(right);
    for (std::int64_t i = 0; i < rows * columns; ++i) {
      const std::int64_t row = i / columns, column = i % columns;
      std::int64_t sum = 0;
      for (std::int64_t k = 0; k < depth; ++k) {
        sum += (as[static_cast<std::size_t>(a_start + row * depth + k)] - ga.zero_point(row)) *
               (bs[static_cast<std::size_t>(b_start + k * columns + column)] - gb.zero_point(column));
      }
      const float factor = ga.scale(row) * gb.scale(column) / gy.scale(0);
      ys.push_back(round_into(static_cast<float>(sum) * factor, gy.zero_point(0), dtype));
    }
  }
  context.set(0, from_integers(dtype, result, ys));
}

}  // namespace adze::reference::quantization
