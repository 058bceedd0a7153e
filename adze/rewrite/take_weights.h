#pragma once

#include "adze/graph/graph.h"

namespace adze::rewrite {

/// Gives the graph's float constants the contents of those with the same name, type and shape in another graph, and
/// metadata that it lacks, such as the vocabulary: what was trained in one form goes into another form of the network.
/// Returns how many constants were taken. Throws ModelError naming the first one of two axes or more that the other
/// graph lacks or has in another shape.
int take_weights(Graph& graph, const Graph& from);

}  // namespace adze::rewrite
