#pragma once

#include <optional>
#include <string>
#include <vector>

#include "adze/evaluate/slices.h"
#include "cli/prune_options.h"

namespace adze::cli {

/// What the HTML page of a pruning shows besides its outcome.
struct PruningPage {
  ModelFigures before, after;
  std::vector<PruningRoundFigures> rounds;
  std::vector<std::pair<double, double>> tried;  ///< ratio and accuracy, where a ratio was searched for
  std::vector<PictureFigure> pictures;           ///< of the schedule
  std::optional<SliceComparison> slices;
  std::vector<std::string> class_names;
};

void write_pruning_report(Console& console, const prune::PruneOutcome& outcome, const PruneArguments& arguments,
                          const prune::PruneOptions& options, const Graph& before, PruningPage page);

}  // namespace adze::cli
