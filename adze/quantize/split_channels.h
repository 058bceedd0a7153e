#pragma once

#include <cstdint>

#include "adze/graph/graph.h"

namespace adze::quantize {

struct SplitReport {
  int layers = 0;
  std::int64_t channels = 0;  ///< that were split
};

/// Halves the largest weights without a change of the function: the input channel that holds a layer's largest weight
/// is given twice, each copy with about half the weights, until the given share of the channels (at least one) has been
/// split. The copy of the channel is made by the layer before, so only pairs of neighbours take part (layer_pairs), and
/// no grouped convolutions. Halves are (w - Δ/2)/2 and (w + Δ/2)/2 with Δ the step of that many bits, so that their
/// rounding errors do not add up.
/// Source  Zhao et al., Improving Neural Network Quantization without Retraining using Outlier Channel Splitting,
///         arXiv:1901.09504, section 3
SplitReport split_outlier_channels(Graph& graph, double share, int bits);

}  // namespace adze::quantize
