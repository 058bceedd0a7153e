#pragma once

#include <map>

#include "adze/prune/lottery.h"
#include "cli/prune_options.h"

namespace adze::cli {

/// All training that `adze prune` does.
class PruneTraining {
 public:
  PruneTraining(Console& console, const PruneArguments& arguments, const TrainingData& data)
      : console_(console), arguments_(arguments), data_(data) {}

  /// Fine-tuning after a round; zeros stay when weights are pruned. teacher: the dense network, for --distil.
  Graph tuned(const Graph& graph, const Graph& teacher, std::int64_t round);
  /// Trained with the penalty of the options.
  Graph under_penalty(const Graph& graph);
  /// The gradual and regrow schedules. inputs: what the criterion of the gradual one needs.
  Graph sparse_training(const Graph& graph, const prune::PruneOptions& options, const prune::PruneInputs& inputs);
  /// The lottery's rounds, shown as a table.
  Graph lottery(const Graph& graph, const prune::PruneOptions& options);

  /// Validation accuracy against what is left, where there was training.
  std::vector<PictureFigure> pictures(const prune::PruneOutcome& outcome, double before) const;

 private:
  /// teacher: the dense network, for --distil; null: none.
  train::TrainOptions train_options(std::int64_t seed_offset, const Graph* teacher = nullptr) const;
  /// last: the weights kept are the last epoch's, not those of the best.
  void note(const train::TrainResult& result, std::int64_t round, std::string_view what, bool last = false);

  Console& console_;
  const PruneArguments& arguments_;
  const TrainingData& data_;
  std::map<std::int64_t, double> accuracy_;  ///< on validation data, by round
  std::vector<PictureFigure> pictures_;
};

}  // namespace adze::cli
