#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace adze {

/// A piece of memory that is needed from step first to step last, both included.
struct ArenaBlock {
  std::int64_t bytes = 0;
  std::int32_t first = 0;
  std::int32_t last = 0;
};

/// Where each block lies in one shared arena.
struct ArenaLayout {
  std::vector<std::int64_t> offsets;  ///< of each block, multiples of the alignment
  std::int64_t bytes = 0;             ///< size of the arena
  std::int64_t lower_bound = 0;       ///< the most bytes alive at one step: no layout can be smaller
  bool proved = false;                ///< no layout with this alignment is smaller
};

/// Gives blocks that are alive together disjoint places: greedy by size, largest first, each into the lowest gap that
/// fits. When that misses the lower bound, at most search_nodes decisions look for less: one half in better orders of
/// the same, the other by branch and bound (plan/arena_search.h).
/// Throws ModelError when sizes overflow.
/// Source  Pisarchyk and Lee, Efficient Memory Management for Deep Neural Net Inference, 2020, section 5.2
ArenaLayout place_blocks(std::span<const ArenaBlock> blocks, std::int64_t alignment, std::int64_t search_nodes = 0);

}  // namespace adze
