#pragma once

#include <span>
#include <vector>

#include "adze/prune/groups.h"
#include "adze/prune/layers.h"
#include "adze/prune/statistics.h"

namespace adze::prune {

struct PosteriorOptions {
  std::int64_t passes = 4;         ///< over the source's batches
  std::int64_t least_steps = 480;  ///< open_gates: more passes where the batches are few; with 64 steps the order of
                                   ///< single weights is noise
  double samples = 0;              ///< of the whole training data; 0: as many batches of 16 as the source has
  std::uint64_t seed = 0;
};

/// The logarithm of each weight's noise-to-signal ratio alpha = variance / w² of the widest Gaussian around the trained
/// weights that the loss allows: variational dropout with a log-uniform prior. The loss's curvature is the mean squared
/// gradient at weights drawn from the posterior. By weight, in the order of its elements.
/// Source  Molchanov et al., arXiv:1701.05369 (prior's term); Khan et al., arXiv:1806.04854 (curvature by squares)
std::map<ValueId, std::vector<double>> dropout_rates(const Graph& graph, std::span<const Layer> layers,
                                                     GradientSource& source, const PosteriorOptions& options = {},
                                                     ProgressSink& progress = silent_progress());

/// Weights that one gate multiplies: elements of constants.
struct Gated {
  ValueId weight = ValueId::None;
  std::vector<std::int64_t> elements;
};

/// Learns gates from 0 to 1 (stretched concrete distributions) on the trained weights, which stay as they are: the loss
/// plus a price for each gate that is not 0, equal to the mean |dL/dgate| of the open network. Returns log alpha of
/// each gate: the higher, the likelier open.
/// Source  Louizos et al., Learning sparse neural networks through L0 regularization, arXiv:1712.01312
std::vector<double> open_gates(const Graph& graph, const std::vector<std::vector<Gated>>& gates, GradientSource& source,
                               const PosteriorOptions& options = {}, ProgressSink& progress = silent_progress());

/// A gate for each unit of all groups, in order: the weights that produce it.
std::vector<std::vector<Gated>> unit_gates(const Graph& graph, const Groups& groups, std::span<const Layer> layers);
/// A gate for each weight, layer after layer.
std::vector<std::vector<Gated>> weight_gates(std::span<const Layer> layers);

}  // namespace adze::prune
