#include <cmath>
#include <limits>

#include "adze/base/progress.h"
#include "adze/engine/reference/detail/elements.h"
#include "adze/engine/reference/neural.h"
#include "adze/engine/reference/taps.h"
#include "adze/engine/reference/values.h"

namespace adze::reference::neural {

namespace {

struct Pool {
  Shape result;         ///< [N, C, out…]
  Shape input, output;  ///< spatial
  Window window;
};

Pool pool_of(const Context& context) {
  const Tensor& x = context.input(0);
  Pool pool;
  pool.result = checked_shape(context);
  pool.window = window_of(context.node(), static_cast<std::size_t>(x.rank() - 2));
  pool.input = part(x.shape(), 2);
  pool.output = part(pool.result, 2);
  resolve_pads(pool.window, pool.input);
  return pool;
}

/// Calls f(output offset, offset of the plane's first input element, taps, position) for every output element.
template <typename F>
void each_window(const Pool& pool, F&& f) {
  if (num_elements(pool.result) == 0) return;
  const std::int64_t planes = pool.result[0] * pool.result[1];
  const std::int64_t in_size = num_elements(pool.input), out_size = num_elements(pool.output);
  Shape position(pool.output.size(), 0);
  std::vector<Tap> taps;
  std::int64_t p = 0;
  do {
    check_cancelled();
    taps_at(pool.window, pool.input, position, taps);
    for (std::int64_t plane = 0; plane < planes; ++plane) {
      f(static_cast<std::size_t>(plane * out_size + p), plane * in_size, taps, position);
    }
    ++p;
  } while (next_index(position, pool.output));
}

/// The offset counted with the first spatial dimension fastest: storage_order = 1.
std::int64_t column_major(std::int64_t offset, const Shape& shape) {
  std::int64_t result = 0;
  std::int64_t stride = num_elements(shape);
  for (std::size_t i = shape.size(); i-- > 0;) {
    stride /= shape[i];
    result += offset % shape[i] * stride;
    offset /= shape[i];
  }
  return result;
}

double lowest(DType dtype) {
  return is_float(dtype) ? -std::numeric_limits<double>::infinity() : static_cast<double>(integer_min(dtype));
}

double power_mean(double sum, double p) {
  return std::pow(sum, 1 / p);
}

}  // namespace

void max_pool(Context& context) {
  const Tensor& x = context.input(0);
  const Pool pool = pool_of(context);
  const bool by_columns = context.node().get_int("storage_order") != 0;
  const std::vector<double> xs = to_doubles(x);
  std::vector<double> y(detail::count_to_compute(pool.result));
  std::vector<std::int64_t> indices(y.size(), -1);
  each_window(pool, [&](std::size_t out, std::int64_t plane, const std::vector<Tap>& taps, const Shape&) {
    double best = 0;
    std::int64_t at = -1;
    for (const Tap& tap : taps) {
      const double value = xs[static_cast<std::size_t>(plane + tap.input)];
      if (at < 0 || value > best || (std::isnan(value) && !std::isnan(best))) {
        best = value;
        at = tap.input;
      }
    }
    y[out] = at < 0 ? lowest(x.dtype()) : best;
    if (at >= 0) indices[out] = plane + (by_columns ? column_major(at, pool.input) : at);
  });
  context.set(0, from_doubles(x.dtype(), pool.result, y));
  if (context.wants(1)) context.set(1, from_integers(DType::S64, pool.result, indices));
}

void average_pool(Context& context) {
  const Tensor& x = context.input(0);
  const Pool pool = pool_of(context);
  const bool include_pad = context.node().get_int("count_include_pad") != 0;
  const std::vector<double> xs = to_doubles(x);
  std::vector<double> y(detail::count_to_compute(pool.result));
  each_window(pool, [&](std::size_t out, std::int64_t plane, const std::vector<Tap>& taps, const Shape& position) {
    double sum = 0;
    for (const Tap& tap : taps) sum += xs[static_cast<std::size_t>(plane + tap.input)];
    const auto inside = static_cast<std::int64_t>(taps.size());
    const std::int64_t count = include_pad ? padded_count(pool.window, pool.input, position) : inside;
    y[out] = count > 0 ? sum / static_cast<double>(count) : 0;
  });
  context.set(0, from_doubles(x.dtype(), pool.result, y));
}

void lp_pool(Context& context) {
  const Tensor& x = context.input(0);
  const Pool pool = pool_of(context);
  const auto p = static_cast<double>(context.node().get_int("p"));
  const std::vector<double> xs = to_doubles(x);
  std::vector<double> y(detail::count_to_compute(pool.result));
  each_window(pool, [&](std::size_t out, std::int64_t plane, const std::vector<Tap>& taps, const Shape&) {
    double sum = 0;
    for (const Tap& tap : taps) sum += std::pow(std::abs(xs[static_cast<std::size_t>(plane + tap.input)]), p);
    y[out] = power_mean(sum, p);
  });
  context.set(0, from_doubles(x.dtype(), pool.result, y));
}

/// GlobalAveragePool, GlobalMaxPool and GlobalLpPool: one value for each plane.
void global_pool(Context& context) {
  const Tensor& x = context.input(0);
  const OpKind kind = context.node().kind;
  const Shape result = checked_shape(context);
  const auto p = kind == OpKind::GlobalLpPool ? static_cast<double>(context.node().get_int("p")) : 1.0;
  if (p < 1) throw ModelError("attribute p must be 1 at least");
  const std::vector<double> xs = to_doubles(x);
  std::vector<double> y(detail::count_to_compute(result));
  const std::size_t size = y.empty() ? 0 : xs.size() / y.size();
  if (size == 0 && !y.empty()) throw ModelError("a plane without elements cannot be pooled");
  for (std::size_t plane = 0; plane < y.size(); ++plane) {
    double total = kind == OpKind::GlobalMaxPool ? xs[plane * size] : 0;
    for (std::size_t i = 0; i < size; ++i) {
      const double value = xs[plane * size + i];
      if (kind == OpKind::GlobalMaxPool) {
        if (value > total || std::isnan(value)) total = value;
      } else {
        total += kind == OpKind::GlobalLpPool ? std::pow(std::abs(value), p) : value;
      }
    }
    if (kind == OpKind::GlobalAveragePool) total /= static_cast<double>(size);
    if (kind == OpKind::GlobalLpPool) total = power_mean(total, p);
    y[plane] = total;
  }
  context.set(0, from_doubles(x.dtype(), result, y));
}

}  // namespace adze::reference::neural
