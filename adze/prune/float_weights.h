#pragma once

#include "adze/graph/graph.h"

namespace adze::prune {

/// Weights that are stored as integers behind a DequantizeLinear become f32 constants, in a network whose activations
/// are float. One that quantizes activations is returned as it is.
Graph with_float_weights(Graph graph);

}  // namespace adze::prune
