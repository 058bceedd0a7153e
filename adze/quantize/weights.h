#pragma once

#include <optional>
#include <span>

#include "adze/graph/graph.h"
#include "adze/numerics/affine.h"
#include "adze/quantize/ptq.h"

namespace adze::quantize {

/// A constant as integer codes.
struct QuantizedWeight {
  Tensor codes;
  TensorScales scales;
  std::int64_t group = 1;  ///< neighbours along the scales' axis that have one scale
};

/// How weights get their scales.
struct WeightScaling {
  std::optional<std::int64_t> axis;  ///< of the output channels; nothing: one scale for all
  std::int64_t group = 1;            ///< neighbouring channels that share a scale
  int bits = 8;
  bool power_of_two = false;  ///< scales grow to the next power of two
};

/// Throws ModelError naming the first layer whose weights or bias hold NaN or infinity: calibration would only find
/// what they do to the layers behind.
void check_weights(const Graph& graph);

/// s8 codes of f32 weights that keep their signs alone: -1 below 0, 1 elsewhere.
Tensor sign_codes(const Tensor& weight);

/// Symmetric s8 codes of a constant that a node reads as weights: 8 bits cover everything, fewer have the scale of
/// least squared error; 1 bit stands for the mean magnitude with the weight's sign (Rastegari et al., XNOR-Net,
/// arXiv:1603.05279). Throws ModelError naming node and value on NaN or infinity.
QuantizedWeight quantize_weight(const Graph& graph, const Node& node, ValueId weight, const WeightScaling& scaling);

/// The same for the weights of a layer with a bias, on integers: scales are made so large that the bias, in steps of
/// input_scale · weight scale, fits 30 bits; a channel whose weights are all zero gets the scale that serves its bias.
QuantizedWeight quantize_weight_for_bias(const Graph& graph, const Node& node, ValueId weight,
                                         const WeightScaling& scaling, const Tensor& bias, float input_scale);

/// s32 codes of a bias of rank 1, in steps of input_scale · weight scale.
QuantizedWeight quantize_bias(const Graph& graph, const Node& node, const Tensor& bias, const TensorScales& weights,
                              float input_scale);

/// Of a row of numbers, each takes the largest of its group.
void raise_to_largest_of_group(std::span<float> numbers, std::int64_t group);

WeightReport report_weight(const Graph& graph, const Node& node, ValueId weight, const QuantizedWeight& quantized);

}  // namespace adze::quantize
