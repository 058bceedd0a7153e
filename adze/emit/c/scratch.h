#pragma once

#include <cstdint>

#include "adze/graph/graph.h"
#include "adze/plan/plan.h"

namespace adze::emit {

/// The lowest place, a multiple of 8, where bytes lie free of everything that is alive while the step runs. May lie
/// behind the plan's arena, which then has to grow.
std::int64_t place_scratch(const Graph& graph, const Plan& plan, std::int32_t step, std::int64_t bytes);

}  // namespace adze::emit
