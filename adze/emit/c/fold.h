#pragma once

#include "adze/graph/graph.h"

namespace adze::emit {

/// Constants behind a DequantizeLinear with one scale, or one for each index of an axis, become float constants: float
/// layers with stored integer weights then read their numbers from flash.
Graph with_float_weights(Graph graph);

}  // namespace adze::emit
