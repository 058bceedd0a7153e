#pragma once

#include <vector>

#include "adze/graph/graph.h"

namespace adze::emit {

/// A lowered graph as the C code stores it: every value has the shape in which it lies in memory, channels last where
/// convolutions and pools need it, a Transpose where two orders meet. Nodes whose operands lie with channels last carry
/// "channels_last" = 1; their axes are still those of the given graph (see stored_axis). Weights stay [O, I, spatial…].
Graph arrange(const Graph& lowered, bool nhwc);

/// Does the node work on operands with channels last?
bool is_channels_last(const Node& node);
/// Where axis (which may be negative) of an operand of this rank lies in memory.
std::size_t stored_axis(const Node& node, std::int64_t axis, std::size_t rank);

/// [N, spatial…, C] from [N, C, spatial…], and back.
std::vector<std::int64_t> to_channels_last(std::size_t rank);
std::vector<std::int64_t> to_channels_first(std::size_t rank);
/// The elements in the order that Transpose gives.
Tensor transposed(const Tensor& tensor, const std::vector<std::int64_t>& perm);

}  // namespace adze::emit
