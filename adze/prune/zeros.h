#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "adze/graph/graph.h"

namespace adze::prune {

/// The zeros among the weights of one layer, in float or behind codes.
struct LayerZeros {
  std::string name;
  std::int64_t weights = 0, zeros = 0;
  std::string pattern;  ///< "2:4" or "8x1" when the zeros lie so
};

/// The layers of a float or quantized network, but for those whose weights are not constant.
std::vector<LayerZeros> layer_zeros(const Graph& graph);

/// Notes in the graph's facts that the zeros which its layers have now stay 0, and how many there are.
void note_zeros(Graph& graph);

/// What a network says of its zeros against what it has.
struct ZeroFacts {
  bool recorded = false;  ///< a count is noted
  std::int64_t recorded_weights = 0, recorded_zeros = 0;
  std::int64_t weights = 0, zeros = 0;
  /// Are there as many zeros as were noted, or no more weights other than 0? Whole channels may have gone since, and
  /// others been split in two.
  bool kept() const {
    return !recorded || zeros >= recorded_zeros || weights - zeros <= recorded_weights - recorded_zeros;
  }
};

ZeroFacts zero_facts(const Graph& graph, const std::vector<LayerZeros>& layers);

}  // namespace adze::prune
