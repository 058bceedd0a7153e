#pragma once

#include "adze/prune/prune.h"

namespace adze::prune {

/// What the criteria of the options need, measured. Throws UsageError naming what is missing.
Statistics gather_statistics(const Graph& graph, const Groups& groups, std::span<const Layer> layers,
                             const PruneOptions& options, const PruneInputs& inputs, ProgressSink& progress);

}  // namespace adze::prune
