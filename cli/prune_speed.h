#pragma once

#include "adze/prune/masks.h"
#include "adze/report/report.h"
#include "cli/console.h"

namespace adze::cli {

/// Measures both networks by turns in this machine's engine on one thread, puts their latency into the figures, says
/// what was gained, and where that is less than the removed work lets expect, why and what would be.
/// pattern: of zero weights; none where units were removed.
void show_speed(Console& console, const Graph& dense, const Graph& pruned, const std::optional<prune::Pattern>& pattern,
                ModelFigures& before, ModelFigures& after);

}  // namespace adze::cli
