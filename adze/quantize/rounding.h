#pragma once

#include <string>
#include <vector>

#include "adze/base/progress.h"
#include "adze/graph/graph.h"
#include "adze/quantize/calibration.h"
#include "adze/quantize/options.h"

namespace adze::quantize {

/// What a rounding method made of one layer: mean squared error of its outputs over the rows that it looked at.
struct LayerRounding {
  std::string node;
  double nearest_error = 0, error = 0;
  std::int64_t changed = 0, weights = 0;  ///< codes that differ from the nearest, of how many
};

struct RoundingReport {
  std::vector<LayerRounding> layers;
  std::vector<std::string> left;  ///< layers whose rows cannot be gathered or whose weights are shared
};

/// The same for the layers of these names alone; those that cannot be are added to left.
std::vector<LayerRounding> round_layers(const Graph& exact, Graph& quantized, const std::vector<std::string>& names,
                                        const PtqOptions& options, const CalibrationData& data,
                                        std::vector<std::string>& left);

/// Chooses the codes of all layers of a quantized graph anew, by options.methods.rounding, layer by layer in
/// topological order with inputs from the quantized layers before. Scales stay. A layer whose error does not fall keeps
/// its nearest codes. exact: the float graph that was quantized, with the same node names.
RoundingReport round_weights(const Graph& exact, Graph& quantized, const PtqOptions& options,
                             const CalibrationData& data, ProgressSink& progress);

}  // namespace adze::quantize
