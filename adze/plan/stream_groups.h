#pragma once

#include <map>
#include <optional>
#include <vector>

#include "adze/plan/plan.h"

namespace adze {

/// Makes groups of rows out of steps of one order.
class RowGroups {
 public:
  RowGroups(const Graph& graph, std::vector<NodeId> order, const std::map<NodeId, NodeMemory>& memory);

  /// The group of these steps, sized; nothing when one of them cannot run by rows, or when what one makes is read by
  /// none of the others but goes out before the last one's.
  std::optional<RowGroup> make(const RowRange& range) const;

  /// Steps that read a value.
  const std::vector<std::int32_t>& readers(ValueId id) const { return readers_[static_cast<std::size_t>(id)]; }
  const std::vector<NodeId>& order() const { return order_; }
  const Graph& graph() const { return graph_; }
  const NodeMemory* memory_of(std::int32_t step) const;

 private:
  std::optional<RowTensor> tensor_of(ValueId id) const;
  bool goes_out(ValueId id, const RowRange& range) const;

  const Graph& graph_;
  std::vector<NodeId> order_;
  const std::map<NodeId, NodeMemory>& memory_;
  std::vector<std::vector<std::int32_t>> readers_;  ///< by value
  std::vector<bool> is_output_;                     ///< of the graph, by value
};

}  // namespace adze
