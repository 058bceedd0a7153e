#include "adze/engine/steps/convolution_s8.h"

#include <algorithm>

#include "adze/engine/steps/geometry.h"
#include "adze/engine/steps/low_bit_s8.h"
#include "adze/engine/steps/sparse_s8.h"
#include "adze/engine/steps/sums_s8.h"
#include "adze/plan/integer_parameters.h"

namespace adze::engine {

namespace {

using kernels::WindowGeometry;

bool is_byte(DType dtype) {
  return dtype == DType::S8 || dtype == DType::U8;
}

/// Have the weights more than numbers of 8 bits around zero?
bool has_zero_point(const BindContext& context) {
  return context.dtype(1) == DType::U8 || context.node().get_int("w_zero_point", 0) != 0;
}

std::int32_t u8_zero_point(const BindContext& context) {
  return input_affine(context.node()).zero_point + (context.dtype(0) == DType::S8 ? 128 : 0);
}

/// The sum of each output's weights, [O, depth] or, turned, [depth, O].
std::vector<std::int64_t> weight_sums(const std::int8_t* weights, std::int64_t outputs, std::int64_t depth,
                                      bool turned) {
  std::vector<std::int64_t> sums(static_cast<std::size_t>(outputs), 0);
  for (std::int64_t i = 0; i < (turned ? depth : outputs); ++i) {
    std::int64_t sum = 0;
    for (std::int64_t j = 0; j < (turned ? outputs : depth); ++j, ++weights) {
      sum += *weights;
      if (turned) sums[static_cast<std::size_t>(j)] += *weights;
    }
    if (!turned) sums[static_cast<std::size_t>(i)] = sum;
  }
  return sums;
}

/// bias[o] - zero_point * sum of the channel's weights, in wrapping 32-bit arithmetic.
std::vector<std::int32_t> folded_bias(const BindContext& context, const WindowGeometry& g, bool turned) {
  const std::int64_t depth = g.taps() * (g.in_channels / g.groups), outputs = g.out_channels;
  const std::int64_t zero_point = u8_zero_point(context);
  const auto packed =
      context.weights().packed_as<std::int32_t>(context.origin(), "bias_s8", outputs, [&](std::span<std::int32_t> to) {
        const auto sums = weight_sums(context.constant(1)->data<std::int8_t>().data(), outputs, depth, turned);
        const std::int32_t* biases = context.has(2) ? context.in<std::int32_t>(2) : nullptr;
        for (std::size_t o = 0; o < to.size(); ++o) {
          const std::int64_t bias = biases != nullptr ? biases[o] : 0;
          to[o] = static_cast<std::int32_t>(static_cast<std::uint32_t>(bias - zero_point * sums[o]));
        }
      });
  return {packed.begin(), packed.end()};
}

}  // namespace

ConvS8Problem::ConvS8Problem(const BindContext& context, const WindowGeometry& g, bool turned_weights)
    : geometry(g),
      weights(context.constant(1)->data<std::int8_t>().data()),
      turned(turned_weights),
      pad(static_cast<std::uint8_t>(u8_zero_point(context))),
      flip(context.dtype(0) == DType::S8 ? 0x80 : 0),
      stage(requantize_parameters(context.node(), g.out_channels), folded_bias(context, g, turned_weights),
            output_affine(context.node())) {}

std::vector<std::int8_t> ConvS8Problem::ordered_weights(std::int64_t first_output, std::int64_t count) const {
  const std::int64_t outputs = geometry.out_channels, taps = geometry.taps();
  const std::int64_t inputs = geometry.in_channels / geometry.groups;
  if (taps == 1 && !turned) return {weights + first_output * inputs, weights + (first_output + count) * inputs};
  std::vector<std::int8_t> ordered(static_cast<std::size_t>(count * inputs * taps));
  std::int8_t* to = ordered.data();
  for (std::int64_t o = first_output; o < first_output + count; ++o) {
    for (std::int64_t t = 0; t < taps; ++t) {
      const std::int8_t* from = turned ? weights + o : weights + o * inputs * taps + t;
      const std::int64_t step = turned ? outputs : taps;
      for (std::int64_t c = 0; c < inputs; ++c, from += step) *to++ = *from;
    }
  }
  return ordered;
}

namespace {

using MakeStep = std::unique_ptr<Step> (*)(const BindContext&, const ConvS8Problem&);

std::unique_ptr<Step> make_sparse_or_dense_s8_step(const BindContext& context, const ConvS8Problem& problem) {
  auto sparse = make_sparse_s8_step(context, problem);
  return sparse ? std::move(sparse) : make_dense_s8_step(context, problem);
}

std::unique_ptr<Step> make_sparse_packed_or_dense_s8_step(const BindContext& context, const ConvS8Problem& problem) {
  if (auto sparse = make_sparse_s8_step(context, problem)) return sparse;
  if (auto packed = make_low_bit_s8_step(context, problem)) return packed;
  return make_dense_s8_step(context, problem);
}

bool is_depthwise(const WindowGeometry& g) {
  return g.groups == g.in_channels && g.groups == g.out_channels;
}

std::unique_ptr<Step> bind_conv_by(const BindContext& context, MakeStep make) {
  if (!context.channels_last() || has_zero_point(context)) return nullptr;
  const WindowGeometry g = geometry_of(context, context.constant(1)->shape());
  return is_depthwise(g) ? nullptr : make(context, ConvS8Problem(context, g, false));
}

std::unique_ptr<Step> bind_gemm_by(const BindContext& context, MakeStep make) {
  const Tensor* weights = context.constant(1);
  const Node& node = context.node();
  if (weights == nullptr || weights->rank() != 2 || has_zero_point(context)) return nullptr;
  if (weights->dtype() != DType::S8 || !is_byte(context.dtype(0)) || !is_byte(context.output_dtype())) return nullptr;
  if (context.has(2) && (context.constant(2) == nullptr || context.dtype(2) != DType::S32)) return nullptr;
  const bool rows_are_outputs = node.get_int("transB", 0) != 0;
  WindowGeometry g;
  g.in_channels = weights->dim(rows_are_outputs ? 1 : 0);
  g.out_channels = weights->dim(rows_are_outputs ? 0 : 1);
  if (context.shape(0).empty() || context.shape(0).back() != g.in_channels) return nullptr;
  if (context.has(2) && context.constant(2)->size() != g.out_channels) return nullptr;
  g.in_width = g.out_width = num_elements(context.shape(0)) / g.in_channels;
  return make(context, ConvS8Problem(context, g, !rows_are_outputs));
}

}  // namespace

std::unique_ptr<Step> bind_quantized_conv(const BindContext& context) {
  if (!context.channels_last()) return nullptr;
  if (has_zero_point(context)) return bind_integer_sums(context);
  const WindowGeometry g = geometry_of(context, context.constant(1)->shape());
  const ConvS8Problem problem(context, g, false);
  return is_depthwise(g) ? make_depthwise_s8_step(context, problem) : make_sparse_or_dense_s8_step(context, problem);
}

std::unique_ptr<Step> bind_dense_quantized_conv(const BindContext& context) {
  return bind_conv_by(context, make_unexpected_dense_s8_step);
}

std::unique_ptr<Step> bind_single_sparse_conv(const BindContext& context) {
  return bind_conv_by(context, make_single_sparse_s8_step);
}

std::unique_ptr<Step> bind_block_sparse_conv(const BindContext& context) {
  return bind_conv_by(context, make_block_sparse_s8_step);
}

std::unique_ptr<Step> bind_quantized_gemm(const BindContext& context) {
  const Tensor* weights = context.constant(1);
  if (weights != nullptr && weights->rank() == 2 && has_zero_point(context)) return bind_integer_sums(context);
  return bind_gemm_by(context, make_sparse_packed_or_dense_s8_step);
}

std::unique_ptr<Step> bind_dense_quantized_gemm(const BindContext& context) {
  return bind_gemm_by(context, make_unexpected_dense_s8_step);
}

std::unique_ptr<Step> bind_single_sparse_gemm(const BindContext& context) {
  return bind_gemm_by(context, make_single_sparse_s8_step);
}

std::unique_ptr<Step> bind_block_sparse_gemm(const BindContext& context) {
  return bind_gemm_by(context, make_block_sparse_s8_step);
}

}  // namespace adze::engine
