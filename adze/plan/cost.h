#pragma once

#include <cstdint>
#include <vector>

#include "adze/graph/graph.h"

namespace adze {

/// What one node costs. A constant that several nodes read is counted at the first of them.
struct NodeCost {
  NodeId node = NodeId::None;
  std::int64_t macs = 0;          ///< multiply-accumulates of convolutions, matrix products and recurrent cells
  std::int64_t parameters = 0;    ///< elements of its weights, biases; not of scales, zero points, shapes, bounds
  std::int64_t weight_bytes = 0;  ///< what those elements take as stored
};

struct GraphCost {
  std::vector<NodeCost> nodes;  ///< that an output needs, in topological order
  std::int64_t macs = 0;
  std::int64_t parameters = 0;
  std::int64_t weight_bytes = 0;
  int nodes_with_unknown_macs = 0;  ///< their shapes are not known: the total is too small
};

/// Costs of a graph with concrete shapes (see with_input_shapes, with_unknown_dims). Weights that
/// nodes compute from constants alone, by DequantizeLinear or a table, count at the node that reads them: as many as it
/// reads, without scales, exponents and tables, in the bytes of their codes. Subgraphs are not looked into.
GraphCost compute_cost(const Graph& graph);

}  // namespace adze
