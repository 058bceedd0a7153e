#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "adze/plan/plan.h"

namespace adze {

/// The most bytes that an order needs at one step: values alive, scratch memory, less what overlaps.
std::int64_t peak_of_order(const Graph& graph, const std::vector<NodeId>& order,
                           const std::map<NodeId, NodeMemory>& memory);

struct MemoryOrder {
  std::vector<NodeId> order;
  std::int64_t peak_bytes = 0;
  std::int64_t lower_bound_bytes = 0;  ///< no order has a lower peak than this

  bool proved() const { return peak_bytes == lower_bound_bytes; }
};

/// An order of the nodes whose peak is at most that of topological_order(), which is taken where nothing is lower: the
/// lowest of all where that is found within so many looks at a node that could be next, sets of finished nodes with the
/// lowest peak first; otherwise one of a greedy rule. A node that frees at least as much as it takes, below the peak so
/// far, is run at once, so that chains cost nothing. Reads no clock.
/// Source  the search over sets of finished nodes: Liberis and Lane, Neural networks on microcontrollers: saving memory
///         at inference via operator reordering, 2019
MemoryOrder lowest_peak_order(const Graph& graph, const std::map<NodeId, NodeMemory>& memory = {},
                              std::int64_t looks = 2'000'000);

}  // namespace adze
