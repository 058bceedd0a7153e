#pragma once

#include "adze/graph/graph.h"

namespace adze::engine {

/// Float chains that amount to one function become one node: GELU, hard swish and layer normalization by the rules of
/// rewrite/; x · sigmoid(x) as a Sigmoid with the attribute "times_x" = 1, which only the engine knows.
Graph fuse_functions(Graph graph);

}  // namespace adze::engine
