#pragma once

#include <span>
#include <vector>

#include "adze/quantize/ptq.h"

namespace adze::quantize {

/// Fills in one weight's histograms, before and after and of the error, and its signal-to-noise ratio.
void describe(WeightReport& report, std::span<const float> exact, const std::vector<float>& restored);

/// Fills in what the report says of each layer's weights, from what is stored in the end: bits, histograms of the
/// weights before and after and of their error, the signal-to-noise ratio, some kernels. exact: the float graph that
/// was quantized, methods that change weights applied.
void describe_weights(const Graph& exact, const Graph& quantized, const PtqOptions& options, QuantizeReport& report);

}  // namespace adze::quantize
