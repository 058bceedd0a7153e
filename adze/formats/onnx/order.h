#pragma once

#include <vector>

#include "adze/formats/onnx/messages.h"

namespace adze::onnx {

/// The order in which nodes can be built: as in the file where that works (the specification demands it), else sorted
/// so that values are computed before they are read, by subgraphs too. Throws ModelError naming a node on a cycle.
std::vector<const NodeMessage*> build_order(const std::vector<NodeMessage>& nodes);

}  // namespace adze::onnx
