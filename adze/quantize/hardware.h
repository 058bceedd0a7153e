#pragma once

#include <string>
#include <vector>

#include "adze/device/profile.h"
#include "adze/graph/graph.h"
#include "adze/quantize/options.h"

namespace adze::quantize {

/// Makes the options such that what becomes integer is what the device computes: operators that it lacks stay float,
/// granularity, symmetry, powers of two and bits are the device's. Returns a line for each rule that changed something.
/// Throws UsageError where the options contradict the rules (blocks, wider weights named for single layers).
std::vector<std::string> apply_rules(const device::QuantizationRules& rules, const Graph& graph, PtqOptions& options);

/// The nodes of a quantized graph that compute with floats: neither quantizers nor between dequantizers and quantizers
/// nor mere movement.
std::vector<std::string> float_nodes(const Graph& quantized);

/// Throws UnsupportedError naming the float nodes, where the device has nothing to compute them with.
void check_rules(const device::QuantizationRules& rules, const std::string& device, const Graph& quantized);

}  // namespace adze::quantize
