#pragma once

#include "adze/graph/graph.h"

namespace adze::onnx {

/// Oldest opset that graphs can be brought to.
inline constexpr int oldest_written_opset = 11;

/// The graph with its operators in the forms of an older opset, subgraphs too. The result is for writing only: its
/// attributes are those of the older schemas. Throws one UnsupportedError that names a node which the opset cannot
/// express, and why.
Graph downgraded(Graph graph, int opset);

}  // namespace adze::onnx
