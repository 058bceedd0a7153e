#pragma once

#include "adze/graph/graph.h"

namespace adze::engine {

/// Integer operators whose inputs are all functions of one byte become one table: x · sigmoid(x) (SiLU, Swish), a table
/// of a table. Every byte of the result is what the operators give one after the other. Shapes must be known.
Graph fuse_tables(Graph graph);

}  // namespace adze::engine
