#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "adze/prune/masks.h"
#include "adze/train/trainer.h"

namespace adze::prune {

struct LotteryOptions {
  double ratio = 0.2;  ///< of the weights still there, those of the smallest magnitude go after each round
  std::int64_t rounds = 10;
  double rewind = 0;  ///< share of the first training after which the weights are kept that all rounds go back to
  bool by_layer = true;
  double max_ratio = 0.99;  ///< of one layer
  bool control = false;     ///< train each mask also on the first weights in another order within their layers
  Pattern pattern;
  std::vector<std::string> skip;
  std::uint64_t seed = 0;
  std::filesystem::path folder;  ///< where rounds are kept; those that are there are not trained again
};

/// One training with one mask.
struct LotteryRound {
  std::int64_t round = 0;  ///< 0: the dense network
  bool control = false;
  double left = 1;  ///< share of the weights of layers
  std::vector<train::EpochResult> epochs;
  std::vector<double> layers;  ///< the share that is left, by layer
};

struct LotteryOutcome {
  std::vector<LotteryRound> rounds;
  Graph ticket;   ///< weights gone back, masked as in the last round
  Graph trained;  ///< the same, trained
};

/// Trains a network with the hook. control: it starts from shuffled weights.
using LotteryTrainer = std::function<train::TrainResult(const Graph& start, const train::StepHook& hook,
                                                        std::int64_t round, bool control)>;

/// Trains, removes the smallest weights, gives the rest the values that they had at the beginning (or early in the
/// first training), and again. Throws UsageError when the folder holds another job's rounds.
/// Source  Frankle and Carbin, The lottery ticket hypothesis, arXiv:1803.03635; rewinding: arXiv:1903.01611
LotteryOutcome find_ticket(const Graph& graph, const LotteryOptions& options, const LotteryTrainer& trainer,
                           ProgressSink& progress = silent_progress());

/// Masks what is 0 in the layers of the graph, at the first step.
train::StepHook mask_hook(const Graph& graph, const std::vector<std::string>& skip = {});

/// The same weights in another order within each layer.
Graph shuffled_weights(Graph graph, const std::vector<std::string>& skip, std::uint64_t seed);

}  // namespace adze::prune
