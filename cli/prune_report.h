#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "adze/evaluate/slices.h"
#include "cli/prune_options.h"
#include "cli/prune_training.h"

namespace adze::cli {

/// What the HTML page of a pruning shows besides its outcome.
struct PruningPage {
  std::string refusal;  ///< why the network is not written
  ModelFigures before, after;
  std::vector<PruningRoundFigures> rounds;
  std::vector<std::pair<double, double>> tried;  ///< ratio and accuracy, where a ratio was searched for
  std::vector<PictureFigure> pictures;           ///< of the schedule
  std::optional<SliceComparison> slices;
  std::vector<std::string> class_names;
};

/// The rounds of an outcome; accuracies: of them, by number from 1; trained: of the schedules that train.
std::vector<PruningRoundFigures> round_figures(const prune::PruneOutcome& outcome, const prune::PruneOptions& options,
                                               const std::map<std::int64_t, PruningRoundFigures>& accuracies,
                                               const std::vector<TrainedRound>& trained);

void write_pruning_report(Console& console, const prune::PruneOutcome& outcome, const PruneArguments& arguments,
                          const prune::PruneOptions& options, const Graph& before, PruningPage page);

}  // namespace adze::cli
