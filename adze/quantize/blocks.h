#pragma once

#include <vector>

#include "adze/graph/graph.h"

namespace adze::quantize {

/// A part of a network between two values through which everything flows: a residual block, a transformer's attention,
/// or one layer with its activation.
struct Block {
  ValueId from = ValueId::None, to = ValueId::None;
  std::vector<NodeId> layers;  ///< Conv, Gemm, MatMul … with constant weights, in topological order
};

/// The blocks that hold layers, in topological order. Nodes without layers belong to the block before. Types must have
/// been inferred.
std::vector<Block> find_blocks(const Graph& graph);

/// The block as a graph of its own: its first input takes the place of from, its output is to. Names stay.
Graph block_graph(const Graph& graph, const Block& block);

}  // namespace adze::quantize
