#pragma once

#include "adze/graph/graph.h"

namespace adze::engine {

/// Convolutions (one group) and products that read a Sign, and whose weights are -a, 0 or a with one a for each output,
/// count bits instead (steps/signs.h). Shapes must be known.
Graph fuse_signs(Graph graph);

}  // namespace adze::engine
