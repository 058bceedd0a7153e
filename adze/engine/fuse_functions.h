#pragma once

#include "adze/graph/graph.h"

namespace adze::engine {

/// Float chains that amount to one function become one node: GELU, hard swish and layer normalization by the rules of
/// rewrite/; x · sigmoid(x) as a Sigmoid with the attribute "times_x" = 1, and a
/// product's bias as a third input of MatMul, which only the engine knows.
Graph fuse_functions(Graph graph);

}  // namespace adze::engine
