#pragma once

#include "adze/graph/graph.h"

namespace adze::tflite {

/// Where a product takes unsigned activations and signed weights, every unsigned quantized value becomes signed: zero
/// points and constants move by 128, which changes no number. Inputs and outputs of the graph keep their type.
Graph with_signed_activations(Graph graph);

}  // namespace adze::tflite
