#include "adze/quantize/weights.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "adze/base/text.h"
#include "adze/quantize/layers.h"

namespace adze::quantize {

namespace {

constexpr double largest_bias_code = 1 << 30;
/// Steps for the bias of a channel without weights: fine enough, and far from the limit.
constexpr double lone_bias_code = 1 << 20;

ErrorPlace place_of_value(const Graph& graph, const Node& node, ValueId value) {
  ErrorPlace place = place_of(graph, node);
  place.op = cat(place.op, ", value ", quoted(graph.value(value).name));
  return place;
}

std::vector<float> maxima_of(const Graph& graph, const Node& node, ValueId weight, const WeightScaling& scaling) {
  try {
    std::vector<float> maxima = absolute_maxima(*graph.constant(weight), scaling.axis);
    raise_to_largest_of_group(maxima, scaling.group);
    return maxima;
  } catch (const Error& error) {
    rethrow_with_place(error, place_of_value(graph, node, weight));
  }
}

void check_constant(const Graph& graph, const Node& node, std::optional<std::size_t> input) {
  if (!input) return;
  const Tensor* constant = graph.constant(node.input(*input));
  if (constant != nullptr && constant->dtype() == DType::F32) maxima_of(graph, node, node.input(*input), {});
}

/// The next power of two.
float power_of_two(float scale) {
  int exponent = 0;
  const float mantissa = std::frexp(scale, &exponent);
  return std::ldexp(1.0F, mantissa == 0.5F ? exponent - 1 : exponent);
}

QuantizedWeight encode(const Tensor& weight, std::vector<AffineScale> scales, const WeightScaling& scaling) {
  if (scaling.power_of_two) {
    for (AffineScale& one : scales) one.scale = power_of_two(one.scale);
  }
  QuantizedWeight result{Tensor(), {std::move(scales), scaling.axis}, scaling.group};
  if (scaling.bits == 1) {
    result.codes = sign_codes(weight);
    return result;
  }
  result.codes = quantized(weight, result.scales, narrowed(weight_grid(), scaling.bits));
  return result;
}

/// The mean magnitude of each group of channels, the scale of least squared error for codes of -1 and 1.
std::vector<AffineScale> mean_scales(const Tensor& weight, const WeightScaling& scaling) {
  const std::optional<std::int64_t> axis = scaling.axis;
  const std::int64_t channels = axis ? weight.dim(*axis) : 1;
  std::vector<double> sums(static_cast<std::size_t>(channels), 0.0);
  std::int64_t inner = 1;
  for (std::int64_t i = axis.value_or(-1) + 1; axis && i < weight.rank(); ++i) inner *= weight.dim(i);
  const auto values = weight.data<float>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::int64_t channel = axis ? static_cast<std::int64_t>(i) / inner % weight.dim(*axis) : 0;
    sums[static_cast<std::size_t>(channel)] += std::abs(values[i]);
  }
  std::vector<AffineScale> scales;
  for (std::int64_t first = 0; first < channels; first += scaling.group) {
    const std::int64_t members = std::min(scaling.group, channels - first);
    const double sum = std::accumulate(sums.begin() + first, sums.begin() + first + members, 0.0);
    const std::int64_t elements = std::ssize(values) / channels * members;
    const auto mean = static_cast<float>(sum / static_cast<double>(elements));
    scales.insert(scales.end(), static_cast<std::size_t>(members), {mean > 0 ? mean : 1.0F, 0});
  }
  return scales;
}

/// With all 8 bits the largest weight decides; with fewer, cutting it off costs less than coarse steps for all.
std::vector<AffineScale> weight_scales(const Tensor& weight, std::span<const float> maxima,
                                       const WeightScaling& scaling) {
  if (scaling.bits == 1) return mean_scales(weight, scaling);
  const IntegerGrid grid = narrowed(weight_grid(), scaling.bits);
  if (scaling.bits == 8) return symmetric_scales(maxima, grid);
  return least_error_scales(weight, scaling.axis, maxima, grid, scaling.group);
}

}  // namespace

Tensor sign_codes(const Tensor& weight) {
  Tensor codes(DType::S8, weight.shape());
  const auto values = weight.data<float>();
  const auto to = codes.mutable_data<std::int8_t>();
  for (std::size_t i = 0; i < values.size(); ++i) to[i] = values[i] < 0 ? std::int8_t{-1} : std::int8_t{1};
  return codes;
}

void check_weights(const Graph& graph) {
  for (const NodeId id : graph.node_ids()) {
    const Node& node = graph.node(id);
    check_constant(graph, node, weight_input(graph, node));
    check_constant(graph, node, bias_input(node));
  }
}

void raise_to_largest_of_group(std::span<float> numbers, std::int64_t group) {
  const auto members = static_cast<std::size_t>(group);
  for (std::size_t first = 0; group > 1 && first < numbers.size(); first += members) {
    const std::span<float> part = numbers.subspan(first, std::min(members, numbers.size() - first));
    std::ranges::fill(part, std::ranges::max(part));
  }
}

QuantizedWeight quantize_weight(const Graph& graph, const Node& node, ValueId weight, const WeightScaling& scaling) {
  const std::vector<float> maxima = maxima_of(graph, node, weight, scaling);
  const Tensor& values = *graph.constant(weight);
  return encode(values, weight_scales(values, maxima, scaling), scaling);
}

QuantizedWeight quantize_weight_for_bias(const Graph& graph, const Node& node, ValueId weight,
                                         const WeightScaling& scaling, const Tensor& bias, float input_scale) {
  const std::vector<float> maxima = maxima_of(graph, node, weight, scaling);
  std::vector<AffineScale> scales = weight_scales(*graph.constant(weight), maxima, scaling);
  std::vector<float> offsets;
  try {
    offsets = absolute_maxima(bias, scaling.axis ? std::optional<std::int64_t>(0) : std::nullopt);
    raise_to_largest_of_group(offsets, scaling.group);
  } catch (const Error& error) {
    rethrow_with_place(ModelError(cat("bias: ", error.message())), place_of(graph, node));
  }
  for (std::size_t i = 0; i < scales.size(); ++i) {
    const double codes = maxima[i] == 0 ? lone_bias_code : largest_bias_code;
    const auto least = static_cast<float>(offsets[i] / (static_cast<double>(input_scale) * codes));
    if (maxima[i] == 0 && offsets[i] > 0) {
      scales[i].scale = least;
    } else {
      scales[i].scale = std::max(scales[i].scale, least);
    }
  }
  return encode(*graph.constant(weight), std::move(scales), scaling);
}

QuantizedWeight quantize_bias(const Graph& graph, const Node& node, const Tensor& bias, const TensorScales& weights,
                              float input_scale) {
  QuantizedWeight result;
  for (const AffineScale& weight : weights.scales) {
    const float scale = input_scale * weight.scale;
    if (!(scale > 0) || !std::isfinite(scale)) {
      throw ModelError(cat("the bias cannot be quantized: input scale ", input_scale, " times weight scale ",
                           weight.scale, " leaves the range of floats"),
                       place_of(graph, node), "keep the node float with --skip");
    }
    result.scales.scales.push_back({scale, 0});
  }
  if (weights.axis) result.scales.axis = 0;
  IntegerGrid grid{DType::S32, static_cast<std::int32_t>(integer_min(DType::S32)),
                   static_cast<std::int32_t>(integer_max(DType::S32)), true};
  result.codes = quantized(bias, result.scales, grid);
  return result;
}

WeightReport report_weight(const Graph& graph, const Node& node, ValueId weight, const QuantizedWeight& quantized) {
  const Tensor& exact = *graph.constant(weight);
  const Tensor restored = dequantized(quantized.codes, quantized.scales);
  WeightReport report;
  report.value = graph.value(weight).name;
  report.node = node.name;
  report.shape = exact.shape();
  report.num_scales = (std::ssize(quantized.scales.scales) - 1) / quantized.group + 1;
  report.sqnr_db = sqnr_db(exact.data<float>(), restored.data<float>());
  return report;
}

}  // namespace adze::quantize
