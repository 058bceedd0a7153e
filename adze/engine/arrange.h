#pragma once

#include <vector>

#include "adze/graph/graph.h"

namespace adze::engine {

/// A graph in the form in which the engine runs it: convolutional parts with channels last, activations fused into the
/// convolution or product before them, transposes where the two layouts meet. Nodes whose meaning depends on it carry
/// "channels_last" = 1; fused bounds are "fused_low" and "fused_high".
struct Arranged {
  struct Origin {
    ValueId value = ValueId::None;  ///< in the given graph; None for what only the arrangement needs
    bool channels_last = false;     ///< stored as [N, spatial…, C]
  };
  Graph graph;
  std::vector<NodeId> node_origins;   ///< by NodeId of graph: the given graph's node
  std::vector<Origin> value_origins;  ///< by ValueId of graph
};

/// fuse = false keeps every value of the given graph. Shapes should be concrete: only what is known is rearranged.
Arranged arrange(const Graph& graph, bool fuse);

/// May the node be run with channels last? Its input 0 is then [N, spatial…, C].
bool prefers_channels_last(const Graph& graph, const Node& node);

/// The permutation that brings [N, C, spatial…] to [N, spatial…, C], or back.
std::vector<std::int64_t> to_channels_last(std::size_t rank);
std::vector<std::int64_t> to_channels_first(std::size_t rank);

}  // namespace adze::engine
