#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "adze/graph/graph.h"

namespace adze::quantize {

/// Two layers that nothing but channel-wise operators parts which commute with positive factors: Relu, LeakyRelu,
/// pools, Identity, Flatten. A factor can move from the output channels of one to the input channels of the
/// other without a change of the function.
struct LayerPair {
  NodeId first = NodeId::None, second = NodeId::None;
  std::vector<NodeId> between;  ///< in order
  std::int64_t spread = 1;      ///< inputs of the second layer that belong to one channel (a Flatten of pictures)
};

/// All such pairs, in topological order. A layer can be the first of one and the second of another. Types must have
/// been inferred. Weights that several nodes read take no part.
std::vector<LayerPair> layer_pairs(const Graph& graph);

struct EqualizeReport {
  int pairs = 0;
  int rounds = 0;
  int opened_clips = 0;     ///< Clip(0, 6) that became Relu
  int absorbed_layers = 0;  ///< layers whose high biases moved to the next
  std::int64_t absorbed_channels = 0;
  double largest_factor = 1;  ///< of any channel, or its reciprocal
};

/// Makes the ranges of weights alike: s = √(r1 · r2) / r2 a channel, where r1 and r2 are the largest weights that
/// produce and that read it; the producer's weights and bias are divided by s, the reader's multiplied, in rounds over
/// all pairs until factors stay within 0.1 % of 1. Statistics noted at layers (channel_statistics.h) follow.
///
/// open_clips: the Clip(0, n) between the layers of a pair becomes a Relu first, as in the paper; this alone changes
/// the function, where values reach n. Otherwise such pairs are left as they are.
/// Source  Nagel et al., Data-Free Quantization Through Weight Equalization and Bias Correction, 2019, section 4.1
EqualizeReport equalize_layers(Graph& graph, bool open_clips);

/// Moves what a channel's values never fall below, c = max(0, mean - 3 deviations), through the Relu into the next
/// layer's bias: b1 - c, b2 + W2·c. Only where statistics are noted at the first layer, the pair has nothing but a Relu
/// between, and the second layer pads with no zeros (their share would differ at the edges).
/// Source  the same, section 4.1.3
void absorb_high_biases(Graph& graph, EqualizeReport& report);

}  // namespace adze::quantize
