#pragma once

#include <functional>
#include <vector>

#include "adze/graph/edit.h"
#include "adze/graph/graph.h"

namespace adze::engine {

/// The nodes that a layer takes over because they alone read its result: activations, a sum with a value that is there
/// already, a table. steps/post_ops.h and post_ops_s8.h apply them; the bits are those of the separate nodes.
class Followers {
 public:
  /// in: nodes of `from` get their new inputs from `arranged`. last: the value with channels last, where it exists so
  /// and was made before; None otherwise.
  Followers(const Graph& from, const Graph& arranged, std::function<ValueId(ValueId)> last)
      : from_(from), arranged_(arranged), uses_(from), last_(std::move(last)) {
    taken_.assign(static_cast<std::size_t>(from.num_nodes()), false);
  }

  /// Was the node of `from` taken over by an earlier one?
  bool taken(NodeId id) const { return taken_[static_cast<std::size_t>(id)]; }
  /// node: the arranged form of `id`, its outputs still those of `from`. It is given what it takes over, and the last
  /// one's output.
  void take(Node& node, NodeId id);

 private:
  bool is_float_product(const Node& node) const;
  bool takes_bounds(const Node& node, NodeId id) const;
  NodeId sole_reader(ValueId value) const;
  void take_clamp(Node& node);
  void take_sum(Node& node);
  void take_function(Node& node);
  void take_table(Node& node);
  void take_byte_sum(Node& node);
  void take_over(Node& node, NodeId reader);

  const Graph& from_;
  const Graph& arranged_;
  Uses uses_;
  std::function<ValueId(ValueId)> last_;
  std::vector<bool> taken_;
};

}  // namespace adze::engine
