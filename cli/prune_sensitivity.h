#pragma once

#include "adze/prune/prune.h"
#include "cli/console.h"

namespace adze::cli {

/// What the outputs lose when shares of one group's units go, or of one layer's weights become 0: table and JSON.
ExitCode show_sensitivity(Console& console, const Graph& graph, const prune::PruneOptions& options,
                          const prune::PruneInputs& inputs);

}  // namespace adze::cli
