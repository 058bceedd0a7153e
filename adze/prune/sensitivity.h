#pragma once

#include <span>
#include <string>
#include <vector>

#include "adze/prune/masks.h"
#include "adze/prune/remove.h"
#include "adze/prune/statistics.h"

namespace adze::prune {

/// What removing shares of one group alone does to the network's outputs.
struct GroupSensitivity {
  std::size_t group = 0;
  std::vector<double> errors;  ///< by ratio: mean squared error of all outputs over their mean square
};

/// Removes each share of each group's lowest-scored units by itself and compares outputs. Cost: one run over the
/// batches for each group and ratio.
std::vector<GroupSensitivity> measure_sensitivity(const Graph& graph, const Groups& groups,
                                                  const std::vector<std::vector<double>>& scores,
                                                  std::span<const double> ratios, const Batches& batches,
                                                  ProgressSink& progress = silent_progress());

/// The same for weights: what zeroing each share of one layer's blocks with the lowest scores does. group: index into
/// layers; scores by layer. N:M patterns have no shares. Throws UsageError for them.
std::vector<GroupSensitivity> measure_weight_sensitivity(const Graph& graph, std::span<const Layer> layers,
                                                         const std::vector<std::vector<double>>& scores,
                                                         const Pattern& pattern, std::span<const double> ratios,
                                                         const Batches& batches,
                                                         ProgressSink& progress = silent_progress());

/// Shares by layer, none above most, that take `ratio` of all weights away: those of one limit on each layer's own
/// error, found by halving.
std::vector<double> weight_ratios_by_error(const std::vector<GroupSensitivity>& sensitivity,
                                           std::span<const Layer> layers, std::span<const double> ratios, double ratio,
                                           double most);

/// The same for every unit alone, by group. Cost: one run over the batches for each unit.
std::map<GroupKey, std::vector<double>> measure_left_out(const Graph& graph, const Groups& groups,
                                                         const Batches& batches,
                                                         ProgressSink& progress = silent_progress());

/// For each of num_groups groups the largest share whose error stays below the limit, between measured shares by
/// straight lines; 0 for groups that were not measured.
std::vector<double> ratios_below(const std::vector<GroupSensitivity>& sensitivity, std::span<const double> ratios,
                                 std::size_t num_groups, double error);

}  // namespace adze::prune
