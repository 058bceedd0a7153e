#pragma once

#include <memory>
#include <string>
#include <vector>

#include "adze/prune/prune.h"
#include "adze/report/report.h"
#include "cli/training_options.h"

namespace adze::cli {

/// The options of `adze prune`.
struct PruneArguments {
  std::string model, output, unit = "channels", criterion = "l2", normalization = "mean", spread = "global";
  std::string schedule = "oneshot", max_drop, start, report;
  static constexpr double not_given = -1;
  double ratio = not_given, target_macs = 0, target_params = 0, max_ratio = 0.9;
  std::int64_t rounds = 0, round_to = 1, min_units = 1, samples = 128, gradient_batches = 16, judge_samples = 1000;
  bool dry_run = false, sensitivity = false, reconstruct = false, surgeon = false, no_slim = false;
  bool keep_batch_norms = false, sparse = false, control = false, distil = false;
  std::string penalty = "none", state;
  double penalty_strength = 0, rewind = 0;
  std::int64_t penalty_epochs = 0, change_every = 50, points = 16;
  double target_latency = 0, widen = 0;
  std::string device, drawing, slices, max_slice_drop;
  bool staircase = false, on_steps = false;
  std::vector<std::string> skip, layer_ratio;
  TrainingOptions training;

  void declare(Options& options);
  bool has_data() const { return !training.data.path.empty(); }
  /// Do the schedules that train with zeros need nothing but magnitudes?
  bool goes_by_magnitude() const { return criterion == "l1" || criterion == "l2"; }
  /// Throws UsageError for numbers out of range, options without effect, and what needs data.
  void check() const;
  std::int64_t num_rounds() const { return rounds > 0 ? rounds : 5; }
  prune::PruneOptions prune_options(std::uint64_t seed) const;
};

/// Groups with their scores, and what stays and why.
void show_groups(Console& console, const Graph& graph, const prune::Groups& groups,
                 const std::vector<std::vector<double>>& scores);

/// What went, by group or layer; also as JSON.
void show_pruning(Console& console, const prune::PruneOutcome& outcome, const prune::PruneOptions& options);

}  // namespace adze::cli
