#pragma once

#include "adze/graph/graph.h"

namespace adze {

/// Checks what every later stage relies on: arities and attributes as the op table says, ids in range, each value with
/// one producer, unique value names, every read value available, no cycle, captures matched, types consistent.
/// Subgraphs too, to a depth of 64. Throws ModelError naming the node.
void verify(const Graph& graph);

}  // namespace adze
