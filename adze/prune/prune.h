#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adze/prune/allocate.h"
#include "adze/prune/bypass.h"
#include "adze/prune/criteria.h"
#include "adze/prune/masks.h"
#include "adze/prune/staircase.h"
#include "adze/prune/statistics.h"

namespace adze::prune {

/// How what goes is spread over the groups or layers.
enum class Spread : std::uint8_t {
  Global,       ///< one threshold for all
  ByGroup,      ///< the same share of each
  Sensitivity,  ///< the same error of the outputs from each by itself
};

/// A share that the user sets for some groups or layers.
struct OwnRatio {
  std::string pattern;  ///< of nodes or operators, with * and ?
  double ratio = 0;     ///< of their units or weights that goes
};

struct PruneOptions {
  bool channels = true;  ///< whole units are removed; else weights become 0 in `pattern`
  Pattern pattern;
  std::optional<Depth>
      depth;  ///< whole blocks or layers are gone around instead, those that matter least to the outputs
  CriterionSum criteria = {{{1.0, Criterion::L2}}};
  Normalization normalization = Normalization::Mean;
  Spread spread = Spread::Global;
  double ratio = 0.3;                    ///< of units or weights, when there is no target
  std::optional<double> target_macs;     ///< share of the MACs that remains (channels)
  std::optional<double> target_params;   ///< share of the parameters that remains
  std::optional<double> target_latency;  ///< share of the measured cost that remains (channels)
  bool on_steps = false;  ///< (channels) cuts keep what costs the same, and cuts that cost the same are refused
  StaircaseOptions staircase;
  double step_tolerance = 0.01;   ///< share of the network's cost below which a difference is none
  UnitLimits limits;              ///< max_ratio: also of the weights of one layer
  std::int64_t rounds = 1;        ///< the share that stays shrinks by the same factor in each
  bool reconstruct = false;       ///< least squares of what reads removed channels
  bool surgeon = false;           ///< (weights) optimal brain surgeon with correction instead of the criterion
  std::vector<std::string> skip;  ///< nodes or operators that keep their weights
  std::vector<OwnRatio> own;  ///< groups and layers whose share is set; ratio and spread are about the others, targets
                              ///< about the network. The first that names a group or layer counts
  std::uint64_t seed = 0;
};

/// What pruning may ask of the outside. All may be empty when nothing needs them.
struct PruneInputs {
  Batches batches;  ///< to measure activations, sensitivity, layers' inputs and batch norms
  std::function<std::unique_ptr<GradientSource>(const Graph&)> gradients;
  std::optional<Graph> start;                             ///< the network before it was trained (movement)
  NetworkCost cost;                                       ///< what target_latency and on_steps are about
  std::function<Graph(const Graph&, std::int64_t)> tune;  ///< trains after each round (from 1), keeping zeros
};

/// One group over all rounds. Units are numbered as in the network before the first.
struct GroupOutcome {
  std::string name;
  std::int64_t size = 0;
  std::vector<std::int64_t> removed;  ///< in the order they went
  std::vector<double> scores;         ///< of those when they went
  double smallest_kept = 0;           ///< score in the last round; 0 when nothing was scored
  std::string inexact;
  std::vector<std::int64_t> rounds = {};                   ///< in which those that are removed went, from 1
  std::vector<std::pair<std::int64_t, double>> kept = {};  ///< units that stay, with their scores in the last round
};

struct LayerOutcome {
  std::string name;
  std::int64_t weights = 0, zeros = 0;
};

struct RoundOutcome {
  std::int64_t units = 0;  ///< left; 0 when weights are pruned
  Size size;
  std::vector<double> left;  ///< by group or layer: the share that is left
};

struct PruneOutcome {
  Graph graph;
  std::vector<GroupOutcome> groups;
  std::vector<LayerOutcome> layers;  ///< weights and zeros at the end
  std::vector<RoundOutcome> rounds;
  std::vector<FixedAxis> fixed;            ///< of the network before
  std::vector<std::string> refused;        ///< cuts that would have saved nothing
  std::vector<Staircase> staircases;       ///< of the first round, by its groups
  double cost_before = 0, cost_after = 0;  ///< measured, where there is a cost
  Size before, after;
};

/// Scores of the units of every group; empty for groups that skip names.
std::vector<std::vector<double>> score_groups(const Graph& graph, const Groups& groups, const PruneOptions& options,
                                              const PruneInputs& inputs, ProgressSink& progress = silent_progress());

/// Scores of the weights of every layer, row-major; what is 0 already comes first.
std::vector<std::vector<double>> score_weights(const Graph& graph, const std::vector<Layer>& layers,
                                               const PruneOptions& options, const PruneInputs& inputs,
                                               ProgressSink& progress = silent_progress());

/// Throws UnsupportedError naming the first node that quantizes.
void check_unquantized(const Graph& graph);

/// Prunes a float network in rounds: score, choose, reconstruct, remove or zero, estimate batch norms, tune.
/// Throws UsageError for settings that do not fit (a criterion without its data, a target out of reach);
/// UnsupportedError for a quantized network; ModelError when there is nothing to prune.
PruneOutcome prune(Graph graph, const PruneOptions& options, const PruneInputs& inputs,
                   ProgressSink& progress = silent_progress());

}  // namespace adze::prune
