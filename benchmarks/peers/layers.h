#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "adze/engine/session.h"

namespace adze::peers {

/// One layer of a network, timed while the whole network runs.
struct Layer {
  std::string kind;  ///< "3x3, 128 and more channels"
  std::string network, precision;
  std::int64_t macs = 0;
  double seconds = 0;  ///< of its fastest call

  double operations_per_second() const { return 2.0 * static_cast<double>(macs) / seconds; }
};

/// What is run for it.
struct LayerRun {
  const std::string& network;
  const std::string& precision;
  const Graph& graph;
  SessionOptions options;
  const std::vector<Tensor>& inputs;
};

/// Adds those layers of the network that are of a kind worth a line.
void add_layers(std::vector<Layer>& layers, const LayerRun& run);

}  // namespace adze::peers
