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

/// Two blocks that are alive together at one step only and may share bytes there, because what the step writes into
/// `output` lies where it has read `input` already: output starts at least `distance` bytes before input (after it when
/// negative), or, when `exact`, `distance` before it and nowhere else.
struct ArenaOverlap {
  std::size_t input = 0;
  std::size_t output = 0;
  std::int64_t distance = 0;
  bool exact = false;
};

/// Where each block lies in one shared arena.
struct ArenaLayout {
  std::vector<std::int64_t> offsets;  ///< of each block, multiples of the alignment
  std::int64_t bytes = 0;             ///< size of the arena
  std::int64_t lower_bound = 0;       ///< the most bytes needed at one step: no layout can be smaller
  bool proved = false;                ///< no layout with this alignment is smaller
};

/// Gives blocks that are alive together disjoint places, or places that an overlap allows: greedy by size, largest
/// first, each into the lowest gap that fits. When that misses the lower bound, at most search_nodes decisions look for
/// less: in better orders of the same and, without overlaps, by branch and bound (plan/arena_search.h).
/// Throws ModelError when sizes overflow.
/// Source  Pisarchyk and Lee, Efficient Memory Management for Deep Neural Net Inference, 2020, section 5.2
ArenaLayout place_blocks(std::span<const ArenaBlock> blocks, std::int64_t alignment, std::int64_t search_nodes = 0,
                         std::span<const ArenaOverlap> overlaps = {});

/// The fewest bytes that the two blocks of an overlap take together.
std::int64_t overlapped_bytes(std::int64_t input_bytes, std::int64_t output_bytes, const ArenaOverlap& overlap);

}  // namespace adze
