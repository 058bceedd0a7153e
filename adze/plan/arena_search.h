#pragma once

#include <cstdint>
#include <span>

#include "adze/plan/arena.h"

namespace adze {

/// Looks for a smaller arena than layout's by branch and bound, until the lower bound is reached, nothing smaller is
/// left to try, or `nodes` decisions were made; no clock is read, so that the result is always the same. Leaves the
/// layout as it is when nothing smaller is found. Sets layout.proved.
/// Source  Moffitt, MiniMalloc: A Lightweight Memory Allocator for Hardware-Accelerated Machine Learning, 2023
void search_placement(std::span<const ArenaBlock> blocks, std::int64_t alignment, std::int64_t nodes,
                      ArenaLayout& layout);

}  // namespace adze
