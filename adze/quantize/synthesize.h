#pragma once

#include <cstdint>

#include "adze/base/progress.h"
#include "adze/graph/graph.h"
#include "adze/quantize/calibration.h"

namespace adze::quantize {

struct SyntheticOptions {
  std::int64_t samples = 64;
  std::int64_t batch = 32;
  int iterations = 300;
  double learning_rate = 0.1;  ///< of Adam, in deviations of the input's range
  std::uint64_t seed = 0;
};

/// Samples made up from batch-norm statistics: inputs that begin as noise and are moved, through the training plug-in,
/// until mean and deviation of every noted layer's channels over the batch are those that its batch norm recorded
/// (channel_statistics.h). Values stay in the range that preprocessing makes of 0 … 255.
/// Throws UnsupportedError when no layer has statistics, the graph has not one float input of known shape, or the
/// plug-in is missing.
/// Source  Cai et al., ZeroQ: A Novel Zero Shot Quantization Framework, arXiv:2001.00281, section 3.1
CalibrationData synthetic_samples(const Graph& graph, const SyntheticOptions& options, ProgressSink& progress);

}  // namespace adze::quantize
