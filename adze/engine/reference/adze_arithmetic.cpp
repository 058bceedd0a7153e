// The integer operators that work element by element, and those that average or normalize.
#include <algorithm>
#include <optional>

#include "adze/base/progress.h"
#include "adze/base/text.h"
#include "adze/engine/reference/adze.h"
#include "adze/engine/reference/detail/elements.h"
#include "adze/engine/reference/taps.h"
#include "adze/engine/reference/values.h"
#include "adze/plan/integer_parameters.h"

namespace adze::reference::integer {

namespace {

std::size_t offset_of(const Shape& index, const Shape& own) {
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < own.size(); ++i) {
    offset = offset * own[i] + (own[i] == 1 ? 0 : index[index.size() - own.size() + i]);
  }
  return static_cast<std::size_t>(offset);
}

template <typename Function>
void broadcast_binary(Context& context, const Function& function) {
  const Tensor& a = context.input(0);
  const Tensor& b = context.input(1);
  const Shape shape = checked_shape(context);
  const auto as = widened(a), bs = widened(b);
  std::vector<std::int32_t> ys;
  if (num_elements(shape) != 0) {
    Shape index(shape.size(), 0);
    do {
      ys.push_back(function(as[offset_of(index, a.shape())], bs[offset_of(index, b.shape())]));
    } while (next_index(index, shape));
  }
  context.set(0, narrowed(output_dtype(context.node()), shape, ys));
}

}  // namespace

void q_add(Context& context) {
  broadcast_binary(context, quantized_add(context.node()));
}
void q_mul(Context& context) {
  broadcast_binary(context, quantized_mul(context.node()));
}

void q_average_pool(Context& context) {
  const Node& node = context.node();
  const Tensor& x = context.input(0);
  const Shape result = checked_shape(context);
  const Window window = window_of(node, static_cast<std::size_t>(x.rank() - 2));
  const Shape in = part(x.shape(), 2), out = part(result, 2);
  const QuantizedMean mean = quantized_mean(node);
  const std::int32_t zero_point = input_affine(node).zero_point;
  const bool include_pad = node.get_int("count_include_pad") != 0;
  const auto xs = widened(x);
  const std::int64_t planes = x.dim(0) * x.dim(1), in_size = num_elements(in), out_size = num_elements(out);
  std::vector<std::int32_t> ys(detail::count_to_compute(result));
  std::vector<Tap> taps;
  Shape position(out.size(), 0);
  for (std::int64_t p = 0; p < out_size && !ys.empty(); ++p, next_index(position, out)) {
    check_cancelled();
    taps_at(window, in, position, taps);
    const std::int64_t count = include_pad ? padded_count(window, in, position) : std::ssize(taps);
    if (count == 0) throw ModelError("a pool window lies wholly in the padding");
    for (std::int64_t plane = 0; plane < planes; ++plane) {
      std::int32_t sum = 0;
      for (const Tap& tap : taps) sum += xs[static_cast<std::size_t>(plane * in_size + tap.input)] - zero_point;
      ys[static_cast<std::size_t>(plane * out_size + p)] = mean(sum, count);
    }
  }
  context.set(0, narrowed(output_dtype(node), result, ys));
}

void q_reduce_mean(Context& context) {
  const Node& node = context.node();
  const Tensor& x = context.input(0);
  const Shape result = checked_shape(context);
  const std::int32_t zero_point = input_affine(node).zero_point;
  const auto xs = widened(x);
  Shape kept = x.shape();  // with 1 for what is reduced: broadcasts against the input's index
  for (const std::int64_t axis : node.get_ints("axes"))
    kept[static_cast<std::size_t>(normalize_axis(axis, x.rank()))] = 1;
  std::vector<std::int32_t> sums(detail::count_to_compute(kept), 0);
  std::vector<std::int32_t> ys(sums.size());
  if (x.empty() && !sums.empty()) throw ModelError("the mean of no element");
  if (!sums.empty()) {
    Shape index(x.shape().size(), 0);
    std::size_t i = 0;
    do {
      sums[offset_of(index, kept)] += xs[i++] - zero_point;
    } while (next_index(index, x.shape()));
  }
  const QuantizedMean mean = quantized_mean(node);
  const std::int64_t count = sums.empty() ? 1 : x.size() / std::ssize(sums);
  std::ranges::transform(sums, ys.begin(), [&](std::int32_t sum) { return mean(sum, count); });
  context.set(0, narrowed(output_dtype(node), result, ys));
}

void q_softmax(Context& context) {
  const Node& node = context.node();
  const Tensor& x = context.input(0);
  const Shape shape = checked_shape(context);
  const auto axis = static_cast<std::size_t>(normalize_axis(node.get_int("axis"), x.rank()));
  const std::int64_t length = shape[axis], step = num_elements(part(shape, axis + 1));
  const bool wide = x.dtype() == DType::S16;
  std::optional<QuantizedSoftmax> bytes;
  std::optional<QuantizedSoftmaxS16> words;
  if (wide) {
    words = quantized_softmax_s16(node);
  } else {
    bytes = quantized_softmax(node);
  }
  const auto xs = widened(x);
  std::vector<std::int32_t> ys(xs.size());
  std::vector<std::int32_t> row(static_cast<std::size_t>(length)), result(row.size());
  const std::int64_t rows = length == 0 ? 0 : x.size() / length;
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t first = r / step * step * length + r % step;
    const auto at = [&](std::size_t i) {
      return static_cast<std::size_t>(first + static_cast<std::int64_t>(i) * step);
    };
    for (std::size_t i = 0; i < row.size(); ++i) row[i] = xs[at(i)];
    wide ? (*words)(row, result) : (*bytes)(row, result);
    for (std::size_t i = 0; i < row.size(); ++i) ys[at(i)] = result[i];
  }
  context.set(0, narrowed(output_dtype(node), shape, ys));
}

void q_table(Context& context) {
  const Tensor& x = context.input(0);
  const Tensor& table = context.input(1);
  checked_types(context);
  if (x.dtype() == DType::S16) {
    auto words = widened(x);
    if (table.dtype() != DType::S16 || table.size() != 513)
      throw ModelError(cat("the table is ", type_text(table), ", expected s16[513]"));
    for (std::int32_t& word : words) word = interpolate(table.data<std::int16_t>(), word);
    context.set(0, narrowed(DType::S16, x.shape(), words));
    return;
  }
  if (table.size() != 256) throw ModelError(cat("the table is ", type_text(table), ", expected 256 entries"));
  const auto entries = widened(table);
  auto values = widened(x);
  const auto lowest = static_cast<std::int32_t>(integer_min(x.dtype()));
  for (std::int32_t& value : values) value = entries[static_cast<std::size_t>(value - lowest)];
  context.set(0, narrowed(table.dtype(), x.shape(), values));
}

void q_requantize(Context& context) {
  const Node& node = context.node();
  const Tensor& x = context.input(0);
  const Shape shape = checked_shape(context);
  const bool narrow = is_integer(x.dtype()) && dtype_bits(x.dtype()) >= 8 && dtype_bits(x.dtype()) <= 16;
  if (!narrow) throw ModelError(cat("cannot requantize ", dtype_name(x.dtype()), ", expected 8 or 16 bits"));
  const Affine y = output_affine(node);
  const std::int32_t zero_point = input_affine(node).zero_point;
  const RequantizeParameters by = requantize_parameters(node, 1)[0];
  auto values = widened(x);
  for (std::int32_t& value : values) value = requantize_to(value - zero_point, by, y);
  context.set(0, narrowed(output_dtype(node), shape, values));
}

}  // namespace adze::reference::integer
