#pragma once

#include "adze/graph/graph.h"

namespace adze {

/// Checks what every later stage relies on: arities and attributes as the op table says, ids in range, each value with
/// one producer, unique value names, every read value available, no cycle, captures matched, types consistent.
/// Subgraphs too, to a depth of 64. Throws ModelError naming the node.
void verify(const Graph& graph);

/// Checks one node by itself, which need not be in the graph yet: arities, attributes, ids in range. Throws ModelError
/// without place. Readers call it before they infer types, whose rules rely on it.
void verify_node(const Graph& graph, const Node& node);

}  // namespace adze
