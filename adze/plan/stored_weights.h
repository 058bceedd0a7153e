#pragma once

#include <vector>

#include "adze/graph/graph.h"

namespace adze {

/// An input of a node that is a constant.
struct ConstantInput {
  NodeId node = NodeId::None;
  std::size_t input = 0;
};

/// Which values nodes compute from constants alone: what DequantizeLinear makes of codes, a look-up of what indices
/// stand for, powers of stored exponents.
class ComputedConstants {
 public:
  /// order: topological.
  ComputedConstants(const Graph& graph, const std::vector<NodeId>& order);
  bool has(ValueId value) const { return computed_[static_cast<std::size_t>(value)]; }
  /// Of a computed value: the constant that holds its elements as stored, rather than scales, exponents or a table. It
  /// lies behind the larger input of each node, behind the indices of a look-up.
  ConstantInput elements_of(ValueId value) const;

 private:
  std::size_t main_input(const Node& node) const;

  const Graph& graph_;
  std::vector<bool> computed_;
};

}  // namespace adze
