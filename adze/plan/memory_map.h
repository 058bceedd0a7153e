#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "adze/plan/plan.h"

namespace adze {

/// A stretch of the arena over a stretch of time: a value with all that is a view of it or written over it, or the
/// scratch memory of one step.
struct MemoryBlock {
  std::string name;
  bool scratch = false;
  std::int64_t offset = 0, bytes = 0;
  std::int32_t first = 0, last = 0;  ///< steps, both included; inputs begin at 0, outputs end after the last step
};

struct MemoryStep {
  std::string name, op;
  std::vector<std::size_t> blocks;  ///< alive while the step runs, by offset
  std::int64_t bytes = 0;           ///< of the arena that they cover; blocks may overlap where the step allows it
  std::int64_t scratch_bytes = 0;   ///< of which only this step's own
};

/// A memory of the device: offsets from `offset` on lie in it.
struct MemoryRange {
  std::string name;
  std::int64_t offset = 0, bytes = 0, used = 0;
};

/// Who lies where and when: a plan to look at.
struct MemoryMap {
  std::vector<MemoryStep> steps;
  std::vector<MemoryBlock> blocks;
  std::vector<MemoryRange> memories;   ///< where the plan has several, the fastest first
  std::int64_t arena_bytes = 0;        ///< in all of them
  std::int64_t extent = 0;             ///< the last offset used
  double slow_share = 0;               ///< of the bytes moved: those to and from memories behind the first
  std::int64_t lower_bound_bytes = 0;  ///< the most bytes alive at one step: no placement needs fewer
  bool proved = false;                 ///< no placement of these blocks needs a smaller arena
  std::int64_t order_peak_bytes = 0, order_lower_bound_bytes = 0;  ///< as in Plan
  std::size_t peak_step = 0;                                       ///< the first of those that cover the most
};

/// memory as given to make_plan; steps that run nothing (views, folded nodes) are left out of the map.
MemoryMap memory_map(const Graph& graph, const Plan& plan, const std::map<NodeId, NodeMemory>& memory = {});

}  // namespace adze
