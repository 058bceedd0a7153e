#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "adze/base/progress.h"
#include "adze/graph/graph.h"
#include "adze/quantize/calibration.h"

namespace adze::quantize {

/// Gives every convolution and Gemm a bias of zeros where it has none, so that one can be corrected.
void add_missing_biases(Graph& graph);

struct BiasCorrectionReport {
  std::vector<std::string> corrected;  ///< layers
  std::vector<std::string> left;       ///< layers that could not be: no bias, or statistics are not known
};

/// Moves the mean of every layer's output, channel by channel, back to the float network's: E[y] - E[ỹ] goes into the
/// bias. Layer by layer in topological order, so that a later layer sees the corrected ones.
///
/// exact: the float graph that was quantized, with the same node names. Cost: as many runs of parts of the quantized
/// network as it has layers, over max_samples samples (0: all).
/// Source  Nagel et al., Data-Free Quantization Through Weight Equalization and Bias Correction, 2019, appendix D
BiasCorrectionReport correct_biases(const Graph& exact, Graph& quantized, const CalibrationData& data,
                                    std::int64_t max_samples, ProgressSink& progress);

/// The same without data: the mean error of a layer is (W̃ - W) · E[x], and E[x] follows from the statistics noted at
/// the layer before, a normal distribution cut off by the Relu or Clip between. Padding is neglected.
/// Source  the same, section 4.2
BiasCorrectionReport correct_biases_analytically(const Graph& exact, Graph& quantized);

/// The mean of a normally distributed number after it was clipped to [low, high], either of which may be infinite.
/// Source  the same, appendix C
double clipped_normal_mean(double mean, double deviation, double low, double high);

}  // namespace adze::quantize
