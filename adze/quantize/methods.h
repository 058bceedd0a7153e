#pragma once

#include <string>
#include <vector>

#include "adze/base/progress.h"
#include "adze/quantize/calibration.h"
#include "adze/quantize/options.h"

namespace adze::quantize {

/// What methods do to the float graph before ranges are observed: factors and biases that move between layers, without
/// a change of the function as far as the method has it. Returns a line for each about what it did.
std::vector<std::string> apply_before(Graph& graph, const PtqOptions& options, const CalibrationData& data,
                                      ProgressSink& progress);

/// What methods do to the quantized graph: better codes for weights, corrected biases. exact is the float graph that
/// was quantized, with the same node names.
std::vector<std::string> apply_after(const Graph& exact, Graph& quantized, const PtqOptions& options,
                                     const CalibrationData& data, ProgressSink& progress);

}  // namespace adze::quantize
