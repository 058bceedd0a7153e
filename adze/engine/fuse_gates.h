#pragma once

#include "adze/graph/graph.h"

namespace adze::engine {

/// A float product with one factor for each picture and channel (squeeze-excite) that only a 1x1 convolution reads
/// becomes a part of that convolution, its input steps/gate.h's gate_input, where that is cheaper: the convolution then
/// multiplies its weights, which are few beside the pixels.
Graph fuse_gates(Graph graph);

}  // namespace adze::engine
