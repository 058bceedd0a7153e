// QConv, QGemm and QMatMul.
#include <algorithm>

#include "adze/base/progress.h"
#include "adze/base/text.h"
#include "adze/engine/reference/adze.h"
#include "adze/engine/reference/detail/elements.h"
#include "adze/engine/reference/taps.h"
#include "adze/engine/reference/values.h"
#include "adze/plan/coded_weights.h"
#include "adze/plan/integer_parameters.h"

namespace adze::reference::integer {

namespace {

/// Widened and without the zero point.
std::vector<std::int32_t> centred(const Tensor& tensor, std::int64_t zero_point) {
  std::vector<std::int32_t> values = widened(tensor);
  for (std::int32_t& value : values) value -= static_cast<std::int32_t>(zero_point);
  return values;
}

std::int32_t weight_zero_point(const Node& node) {
  const std::int64_t zero_point = node.get_int("w_zero_point");
  if (zero_point < -128 || zero_point > 255)
    throw ModelError(cat("attribute w_zero_point = ", zero_point, " does not fit 8 bits"));
  return static_cast<std::int32_t>(zero_point);
}

/// The bias of s32 (of s64 for wide sums), or zeros.
std::vector<std::int64_t> bias_of(const Context& context, std::int64_t channels, bool wide) {
  const Tensor* bias = context.optional_input(2);
  if (bias == nullptr) return std::vector<std::int64_t>(static_cast<std::size_t>(channels), 0);
  if (bias->dtype() != (wide ? DType::S64 : DType::S32) || bias->size() != channels) {
    throw ModelError(cat("the bias is ", type_text(*bias), ", expected ", wide ? "s64[" : "s32[", channels, "]"));
  }
  std::vector<std::int64_t> values = to_ints(*bias);
  for (std::int64_t& value : values) value = std::clamp(value, -largest_wide_sum, largest_wide_sum);
  return values;
}

DType bias_dtype(const Context& context) {
  return context.optional_input(2) == nullptr ? DType::Undefined : context.optional_input(2)->dtype();
}

/// Sums wrap at 32 bits, as they do on every machine that runs them, unless they have 64.
std::int32_t finished(std::int64_t sum, const RequantizeParameters& by, const Affine& y, bool wide) {
  if (wide) return requantize_wide_to(sum, by, y);
  return requantize_to(static_cast<std::int32_t>(static_cast<std::uint32_t>(sum)), by, y);
}

}  // namespace

void q_conv(Context& context) {
  const Node& node = context.node();
  const Tensor& x = context.input(0);
  const Tensor& w = context.input(1);
  const Shape result = checked_shape(context);
  Window window = window_of(node, static_cast<std::size_t>(x.rank() - 2), symbolic(part(w.shape(), 2)));
  const Shape in = part(x.shape(), 2), out = part(result, 2);
  const std::int64_t filters = w.dim(0), in_size = num_elements(in), out_size = num_elements(out);
  const std::int64_t kernel_size = num_elements(part(w.shape(), 2)), channels = w.dim(1);
  const Affine y = output_affine(node);
  const auto by = requantize_parameters(node, filters);
  const auto xs = centred(x, input_affine(node).zero_point), ws = centred(w, weight_zero_point(node));
  const bool wide = sums_are_wide(node, x.dtype(), bias_dtype(context));
  const auto bias = bias_of(context, filters, wide);
  std::vector<std::int32_t> ys(detail::count_to_compute(result));
  std::vector<Tap> taps;
  Shape position(out.size(), 0);
  for (std::int64_t p = 0; p < out_size && !ys.empty(); ++p, next_index(position, out)) {
    check_cancelled();
    taps_at(window, in, position, taps);
    for (std::int64_t n = 0; n < x.dim(0); ++n) {
      for (std::int64_t m = 0; m < filters; ++m) {
        const std::int64_t group = m / (filters / node.get_int("group"));
        const std::int32_t* from = xs.data() + (n * x.dim(1) + group * channels) * in_size;
        const std::int32_t* weight = ws.data() + m * channels * kernel_size;
        std::int64_t sum = bias[static_cast<std::size_t>(m)];
        for (std::int64_t c = 0; c < channels; ++c, from += in_size, weight += kernel_size) {
          for (const Tap& tap : taps) sum += std::int64_t{from[tap.input]} * weight[tap.kernel];
        }
        ys[static_cast<std::size_t>((n * filters + m) * out_size + p)] =
            finished(sum, by[static_cast<std::size_t>(m)], y, wide);
      }
    }
  }
  context.set(0, narrowed(output_dtype(node), result, ys));
}

void q_gemm(Context& context) {
  const Node& node = context.node();
  if (node.has(coded_attribute)) return coded_product(context);
  const Tensor& a = context.input(0);
  const Tensor& w = context.input(1);
  const Shape result = checked_shape(context);
  const bool transposed = node.get_int("transB") != 0;
  const std::int64_t columns = result.back(), depth = a.shape().back();
  const std::int64_t rows = columns == 0 ? 0 : num_elements(result) / columns;
  const Affine y = output_affine(node);
  const auto by = requantize_parameters(node, columns);
  const auto as = centred(a, input_affine(node).zero_point), ws = centred(w, weight_zero_point(node));
  const bool wide = sums_are_wide(node, a.dtype(), bias_dtype(context));
  const auto bias = bias_of(context, columns, wide);
  std::vector<std::int32_t> ys(detail::count_to_compute(result));
  for (std::int64_t i = 0; i < rows; ++i) {
    check_cancelled();
    for (std::int64_t j = 0; j < columns; ++j) {
      std::int64_t sum = bias[static_cast<std::size_t>(j)];
      for (std::int64_t k = 0; k < depth; ++k) {
        const std::int64_t at = transposed ? j * depth + k : k * columns + j;
        sum += std::int64_t{as[static_cast<std::size_t>(i * depth + k)]} * ws[static_cast<std::size_t>(at)];
      }
      ys[static_cast<std::size_t>(i * columns + j)] = finished(sum, by[static_cast<std::size_t>(j)], y, wide);
    }
  }
  context.set(0, narrowed(output_dtype(node), result, ys));
}

namespace {

/// Where the matrices of an operand start for each matrix of the result.
std::vector<std::int64_t> matrix_offsets(const Shape& batch, const Shape& own) {
  std::vector<std::int64_t> offsets;
  if (num_elements(batch) == 0) return offsets;
  Shape index(batch.size(), 0);
  do {
    std::int64_t offset = 0;
    for (std::size_t i = 0; i + 2 < own.size(); ++i) {
      const std::int64_t at = index[batch.size() - (own.size() - 2) + i];
      offset = offset * own[i] + (own[i] == 1 ? 0 : at);
    }
    offsets.push_back(offset * own[own.size() - 2] * own.back());
  } while (next_index(index, batch));
  return offsets;
}

}  // namespace

void q_matmul(Context& context) {
  const Node& node = context.node();
  const Tensor& a = context.input(0);
  const Tensor& b = context.input(1);
  const Shape result = checked_shape(context);
  Shape left = a.shape(), right = b.shape();
  if (left.size() == 1) left.insert(left.begin(), 1);
  if (right.size() == 1) right.push_back(1);
  const Shape batch = broadcast_shapes(part(left, 0, left.size() - 2), part(right, 0, right.size() - 2));
  const std::int64_t rows = left[left.size() - 2], depth = left.back(), columns = right.back();
  const Affine y = output_affine(node);
  const RequantizeParameters by = requantize_parameters(node, 1)[0];
  const auto as = centred(a, left_affine(node).zero_point), bs = centred(b, right_affine(node).zero_point);
  const bool wide = sums_are_wide(node, a.dtype(), DType::Undefined);
  const auto a_offsets = matrix_offsets(batch, left), b_offsets = matrix_offsets(batch, right);
  std::vector<std::int32_t> ys;
  for (std::size_t matrix = 0; matrix < a_offsets.size(); ++matrix) {
    check_cancelled();
    for (std::int64_t i = 0; i < rows * columns; ++i) {
      const std::int32_t* row = as.data() + a_offsets[matrix] + i / columns * depth;
      const std::int32_t* column = bs.data() + b_offsets[matrix] + i % columns;
      std::int64_t sum = 0;
      for (std::int64_t k = 0; k < depth; ++k) sum += std::int64_t{row[k]} * column[k * columns];
      ys.push_back(finished(sum, by, y, wide));
    }
  }
  context.set(0, narrowed(output_dtype(node), result, ys));
}

}  // namespace adze::reference::integer
