#pragma once

// Internal to emit/c: the arrays that the arena consists of.

#include <cstdint>
#include <vector>

#include "adze/emit/c/layer.h"

namespace adze::emit {

/// What the plan may use of each memory. UsageError for one without room.
std::vector<std::int64_t> memory_sizes(const EmitOptions& options, Isa isa);

/// The arrays that the plan's offsets lie in; memories that hold nothing get none.
std::vector<EmittedArray> arena_arrays(const Plan& plan, const EmitOptions& options, Isa isa);

/// The memories as the plan uses them; none when there is only one array for all.
std::vector<MemoryRange> memory_ranges(const Plan& plan, const EmitOptions& options, Isa isa);

}  // namespace adze::emit
