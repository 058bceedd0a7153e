#pragma once

#include <string_view>

#include "adze/graph/graph.h"

namespace adze::quantize {

/// How the scales of fake quantizers move while training.
enum class QatScales : std::uint8_t {
  Learned,        ///< LSQ: Esser et al., arXiv:1902.08153
  MovingAverage,  ///< Jacob et al., arXiv:1712.05877
  Fixed,          ///< as calibration found them
};

std::string_view qat_scales_name(QatScales scales);
QatScales qat_scales_from_name(std::string_view name);

/// Does the graph hold weights stored as codes and activations quantized with fixed scales, as calibration leaves them?
bool is_statically_quantized(const Graph& graph);

/// The form in which a statically quantized graph is trained: stored weight codes become f32 weights with a
/// QuantizeLinear and DequantizeLinear behind them, integer biases become f32, quantizers are marked with how their
/// scales move, and quantizers that movement operators join share one scale. float_graph: where weights are taken from
/// as they were before rounding, by name; else the codes stand for themselves.
/// Activations of fewer than 8 bits are known by their Clips, or by PtqOptions::keep_code_windows.
/// Throws ModelError when the graph holds no quantized layer.
Graph qat_training_form(Graph quantized, const Graph& float_graph, QatScales scales);

/// Back again: weights and biases as stored codes, marks gone, narrow codes clipped. What the trained graph computed
/// with fake quantization is what this one computes, biases rounded to 32 bits aside.
Graph qat_deployment_form(Graph trained);

/// The trained network without its quantizers: what the trained weights would compute in float. For judging what
/// quantization costs them, layer by layer.
Graph qat_float_form(Graph trained);

}  // namespace adze::quantize
