#pragma once

#include "adze/graph/graph.h"

namespace adze::engine {

/// MatMulInteger or ConvInteger with constant weights → Cast to f32 → Mul by scales → Add of a constant bias becomes
/// the first node alone, which then gives floats (inputs and attribute in steps/sums_s8.h): what networks with
/// dynamically quantized activations consist of.
Graph fuse_sums(Graph graph);

}  // namespace adze::engine
