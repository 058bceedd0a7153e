#pragma once

#include "adze/quantize/ptq.h"

namespace adze::quantize {

/// The values that quantize_float8 needs observed: inputs of layers with constant weights that are not skipped.
std::vector<ValueId> float8_inputs(const Graph& graph, const PtqOptions& options);

/// Weights and inputs of Conv, Gemm and MatMul as f8e4m3, with scales that put the largest magnitude (per output
/// channel for weights, as seen in calibration for inputs) at the format's largest number, 448. Standard QDQ of opset
/// 19; products stay in float, as processors with 8-bit floats sum them. Source  Micikevicius et al., FP8 Formats for
/// Deep Learning, arXiv:2209.05433
QuantizeOutcome quantize_float8(Graph graph, const Observations& observations, const PtqOptions& options);

}  // namespace adze::quantize
