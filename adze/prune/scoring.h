#pragma once

#include "adze/prune/prune.h"

namespace adze::prune {

/// What the criteria of the options need, measured. Throws UsageError naming what is missing.
Statistics gather_statistics(const Graph& graph, const Groups& groups, std::span<const Layer> layers,
                             const PruneOptions& options, const PruneInputs& inputs, ProgressSink& progress);

/// The share set for a group, by what produces it, or for a layer; none where the options set none.
std::optional<double> own_ratio(const Graph& graph, const Group& group, const std::vector<OwnRatio>& own);
std::optional<double> own_ratio(const Graph& graph, const Layer& layer, const std::vector<OwnRatio>& own);

}  // namespace adze::prune
