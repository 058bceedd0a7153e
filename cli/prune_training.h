#pragma once

#include <optional>
#include <string>
#include <vector>

#include "adze/prune/lottery.h"
#include "cli/prune_options.h"

namespace adze::cli {

/// What training left of each layer and reached, at the end of an epoch or round.
struct TrainedRound {
  std::string name;  ///< "epoch 2"
  std::vector<double> left;
  std::optional<double> accuracy;  ///< on validation data
};

/// A graph that training, not `prune::prune`, made sparse, with the rounds of that: as its outcome.
prune::PruneOutcome sparse_outcome(const Graph& before, Graph after, const std::vector<std::string>& skip,
                                   const std::vector<TrainedRound>& rounds);

/// All training that `adze prune` does.
class PruneTraining {
 public:
  PruneTraining(Console& console, const PruneArguments& arguments, const TrainingData& data)
      : console_(console), arguments_(arguments), data_(data) {}

  /// Fine-tuning after a round; zeros stay when weights are pruned. teacher: the dense network, for --distil.
  /// name: of the checkpoint.
  Graph tuned(const Graph& graph, const Graph& teacher, std::int64_t round, const std::string& name);
  /// Trained with the penalty of the options.
  Graph under_penalty(const Graph& graph);
  /// The gradual and regrow schedules. inputs: what the criterion of the gradual one needs.
  Graph sparse_training(const Graph& graph, const prune::PruneOptions& options, const prune::PruneInputs& inputs);
  /// The lottery's rounds, shown as a table.
  Graph lottery(const Graph& graph, const prune::PruneOptions& options);

  /// Of tickets.
  const std::vector<PictureFigure>& pictures() const { return pictures_; }
  /// Of gradual, regrow and lottery.
  const std::vector<TrainedRound>& rounds() const { return rounds_; }
  /// Makes the folder of --state, or checks that it is of the same job. Throws UsageError.
  void open_state() const;

 private:
  /// teacher: the dense network, for --distil; null: none.
  train::TrainOptions train_options(std::int64_t seed_offset, const Graph* teacher = nullptr) const;
  /// Trained, with a checkpoint of this name in the folder of --state, from which the same command goes on.
  train::TrainResult trained(const Graph& graph, train::TrainOptions options, const std::string& name,
                             const train::StepHook& hook = {}) const;
  /// last: the weights kept are the last epoch's, not those of the best.
  void note(const train::TrainResult& result, std::int64_t round, std::string_view what, bool last = false);

  Console& console_;
  const PruneArguments& arguments_;
  const TrainingData& data_;
  std::vector<TrainedRound> rounds_;
  std::vector<PictureFigure> pictures_;
};

}  // namespace adze::cli
