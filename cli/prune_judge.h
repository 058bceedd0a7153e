#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adze/evaluate/slices.h"
#include "adze/recipe/train_step.h"
#include "cli/prune_options.h"

namespace adze::cli {

/// What `adze prune` loses on validation data: judged, compared by class and group, and held against --max-drop and
/// --max-slice-drop.
class PruneJudge {
 public:
  /// dense: the network before pruning. All are kept as references.
  PruneJudge(Console& console, const PruneArguments& arguments, const TrainingData& data, const Graph& dense)
      : console_(console), arguments_(arguments), data_(data), graph_(dense) {}

  /// Is the page to show accuracy? Only with labels, and not of every ratio that is tried.
  bool reports_accuracy();
  /// Throws UsageError when the data has no class labels.
  EvaluateResult judged(const Graph& graph) const;

  /// Shows what slices lost; says which lost more than it may.
  std::optional<std::string> slice_lost(const Graph& pruned);

  /// The largest of 32 ratios that costs no more accuracy than allowed, by halving; the network without a cut when
  /// there is none.
  prune::PruneOutcome prune_within_drop(prune::PruneOptions options, const prune::PruneInputs& inputs);

  /// A network of the search that lost too much, and what.
  struct Refused {
    prune::PruneOutcome outcome;
    std::string why;
  };
  /// The one with the smallest ratio; none when all that were tried kept within the limits.
  const std::optional<Refused>& refused() const { return refused_; }
  /// Why a search ended with nothing.
  std::string why_nothing() const;

  /// The ratio that is tried now.
  const std::optional<double>& searching() const { return searching_; }
  /// Ratios and accuracies.
  const std::vector<std::pair<double, double>>& tried() const { return tried_; }
  const std::optional<SliceComparison>& slices() const { return slices_; }
  /// Of both networks, where both were judged.
  void add_accuracies(ModelFigures& before, ModelFigures& after) const;

 private:
  const EvaluateResult& dense();
  SliceComparison compared_slices(const EvaluateResult& pruned);
  /// The slice that lost more than it may, and how much.
  std::optional<std::string> beyond_limit(const SliceComparison& slices) const;

  Console& console_;
  const PruneArguments& arguments_;
  const TrainingData& data_;
  const Graph& graph_;
  std::optional<EvaluateResult> dense_, pruned_;
  std::optional<SliceComparison> slices_;
  std::optional<double> searching_;
  std::vector<std::pair<double, double>> tried_;
  std::optional<Refused> refused_;
  std::optional<bool> labelled_;
};

}  // namespace adze::cli
