#pragma once

#include <cstdint>
#include <vector>

#include "adze/plan/plan.h"

namespace adze {

/// Groups of one order that together need at most peak_bytes at any step, if placement reaches that.
struct RowChoice {
  std::vector<RowRange> groups;
  std::int64_t peak_bytes = 0;
  double extra_work = 0;  ///< instructions more than with every node run at once, estimated
};

/// Choices from the least memory on to no group at all, each with the least work for its memory: which steps run by
/// rows together and how many rows a time, by dynamic programming over the order.
std::vector<RowChoice> row_choices(const Graph& graph, const std::vector<NodeId>& order,
                                   const std::map<NodeId, NodeMemory>& memory);

/// What a plan is made for.
enum class PlanGoal : std::uint8_t {
  Work,      ///< every node runs at once; the smallest arena of the orders
  Memory,    ///< the smallest arena, then the least work
  Balanced,  ///< the smaller of the worse of both, each relative to its best
};

/// The plan of these options with the order and the groups that serve the goal; options.order and options.groups are
/// not looked at. Of orders: the graph's own and lowest_peak_order().
Plan make_plan_for(PlanGoal goal, const Graph& graph, PlanOptions options);

}  // namespace adze
