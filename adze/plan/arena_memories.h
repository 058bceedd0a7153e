#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "adze/plan/arena.h"

namespace adze {

/// Where blocks lie in several memories. Offsets count through all of them, the fastest first: the second begins where
/// the first ends, whether that is full or not.
struct MemoriesLayout {
  ArenaLayout layout;              ///< bytes: what the memories hold together, without gaps between them
  std::vector<std::int64_t> used;  ///< of each memory, from its beginning
  double slow_traffic = 0;         ///< of blocks that do not lie in the first memory, times how far behind theirs is
  std::int64_t excess = 0;         ///< bytes that the last memory lacks
};

/// Gives blocks places of which none lies across two memories: all in the first memory when they fit there; otherwise
/// what is moved most for its size (traffic, in bytes, of each block) in the fastest that takes it. Best of some orders
/// and of at most search_nodes decisions spent on better ones; reads no clock. Sizes are rounded down to the alignment.
MemoriesLayout place_in_memories(std::span<const ArenaBlock> blocks, std::span<const double> traffic,
                                 std::span<const std::int64_t> memory_bytes, std::int64_t alignment,
                                 std::int64_t search_nodes, std::span<const ArenaOverlap> overlaps = {});

}  // namespace adze
