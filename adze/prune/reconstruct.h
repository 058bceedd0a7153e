#pragma once

#include <map>
#include <span>

#include "adze/prune/gram.h"
#include "adze/prune/remove.h"

namespace adze::prune {

/// The dense network with the weights that consume channels about to go changed, so that the channels that stay give,
/// in the least-squares sense over the measured inputs, what all gave: W' = W G[:,kept] (G[kept,kept])⁻¹, and 0 for
/// what goes. remove_units with the same selections then cuts it. Layers without gram stay. Returns how many changed.
/// Source  He et al., Channel pruning, arXiv:1707.06168; Luo et al., ThiNet, arXiv:1707.06342
int reconstruct_consumers(Graph& graph, const Groups& groups, std::span<const Selection> selections,
                          std::span<const Layer> layers, const std::map<ValueId, Gram>& grams, double damping = 1e-4);

/// Means and variances of batch norms as they are on the data, measured one layer after the other, each behind those
/// already corrected. Returns how many there are.
int estimate_batch_norms(Graph& graph, const Batches& batches, ProgressSink& progress = silent_progress());

}  // namespace adze::prune
