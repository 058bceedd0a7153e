#pragma once

#include <map>
#include <vector>

#include "adze/prune/coupling.h"

namespace adze::prune {

/// What goes: ascending indices of each axis.
using Removed = std::map<AxisOf, std::vector<std::int64_t>>;

/// Corrects what a node says about sizes in attributes or constant inputs (group counts, split sizes, slice bounds,
/// target shapes, gathered indices). Values of the graph still have their old types; removed says what they lose.
void repair_node(Graph& graph, NodeId id, const Removed& removed);

}  // namespace adze::prune
