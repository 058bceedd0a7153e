#include "adze/quantize/weight_layout.h"

namespace adze::quantize {

namespace {

WeightLayout product_layout(const Shape& weight, bool is_transposed) {
  WeightLayout layout;
  layout.outputs = weight[is_transposed ? 0 : 1];
  layout.channels = weight[is_transposed ? 1 : 0];
  layout.output_step = is_transposed ? layout.channels : 1;
  layout.channel_step = is_transposed ? 1 : layout.outputs;
  return layout;
}

/// Weights [all outputs, channels of a group, taps…], or [all channels, outputs of a group, taps…] when transposed.
WeightLayout conv_layout(const Node& node, const Shape& weight, bool is_transposed) {
  WeightLayout layout;
  layout.groups = node.get_int("group");
  for (std::size_t i = 2; i < weight.size(); ++i) layout.taps *= weight[i];
  const std::int64_t rows = weight[0] / layout.groups;
  layout.outputs = is_transposed ? weight[1] : rows;
  layout.channels = is_transposed ? rows : weight[1];
  const std::int64_t row_step = weight[1] * layout.taps;
  layout.group_step = rows * row_step;
  layout.output_step = is_transposed ? layout.taps : row_step;
  layout.channel_step = is_transposed ? row_step : layout.taps;
  return layout;
}

}  // namespace

std::optional<WeightLayout> weight_layout(const Node& node, const Shape& weight) {
  if (node.kind == OpKind::Gemm && weight.size() == 2) return product_layout(weight, node.get_int("transB") != 0);
  if (node.kind == OpKind::MatMul && weight.size() == 2) return product_layout(weight, false);
  if (weight.size() < 3) return std::nullopt;
  if (node.kind == OpKind::Conv) return conv_layout(node, weight, false);
  if (node.kind == OpKind::ConvTranspose) return conv_layout(node, weight, true);
  return std::nullopt;
}

}  // namespace adze::quantize
