#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "adze/base/progress.h"
#include "adze/graph/graph.h"
#include "adze/quantize/calibration.h"
#include "adze/quantize/shared_inputs.h"

namespace adze::quantize {

/// Magnitudes of a value's channels (the last axis) over the data.
struct ChannelMagnitudes {
  std::vector<double> largest, mean;
};
std::unordered_map<ValueId, ChannelMagnitudes> measure_magnitudes(const Graph& graph,
                                                                  const std::vector<SharedInput>& inputs,
                                                                  const CalibrationData& data, std::int64_t max_samples,
                                                                  ProgressSink& progress);

/// s = max|X|^α / max|W|^(1 - α) a channel, over all layers that read the value; 1 where either is 0.
std::vector<double> smoothing_factors(const std::vector<double>& activations, const std::vector<double>& weights,
                                      double alpha);

struct SmoothReport {
  int inputs = 0;  ///< values whose channels were evened out
  int layers = 0;  ///< that read them
  double largest_factor = 1;
};

/// Moves the outliers of activations into weights: channels of a layer norm's (or other giver's) output are divided by
/// s, the weights that read them multiplied. The function stays.
/// Source  Xiao et al., SmoothQuant, arXiv:2211.10438, equation 4
SmoothReport smooth_activations(Graph& graph, double alpha, const CalibrationData& data, std::int64_t max_samples,
                                ProgressSink& progress);

}  // namespace adze::quantize
