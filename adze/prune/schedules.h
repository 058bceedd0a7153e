#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "adze/prune/allocate.h"
#include "adze/prune/masks.h"
#include "adze/train/trainer.h"

/// Pruning while training: hooks that train::train calls before each step. What they do follows from the step and the
/// weights alone, so a run that was killed goes on as it would have.
namespace adze::prune {

/// Which weights, how many, and when, of a whole training run.
struct MaskSchedule {
  Pattern pattern;
  double ratio = 0.8;          ///< of the weights that are 0 in the end
  double max_ratio = 0.99;     ///< of one layer
  bool by_layer = false;       ///< the same share of each layer; else one threshold
  double begin = 0;            ///< share of the run before the first change
  double end = 0.75;           ///< and after the last
  std::int64_t interval = 50;  ///< steps between changes
  std::vector<std::string> skip;
  std::uint64_t seed = 0;
  /// gradual_hook: how much the weights of these layers of the network as it is matter, what is 0 already least;
  /// empty: their magnitudes.
  std::function<std::vector<std::vector<double>>(const Graph&, const std::vector<Layer>&)> scores;
};

/// Weights of the smallest magnitude (or of the smallest scores) go, more and more: ratio · (1 - (1 - t)³) for t from 0
/// at begin to 1 at end. Source  Zhu and Gupta, To prune, or not to prune, arXiv:1710.01878
train::StepHook gradual_hook(const Graph& graph, const MaskSchedule& schedule);

/// The share of zeros that gradual_hook asks for after `done` of the run.
double cubic_ratio(const MaskSchedule& schedule, double done);

/// How RigL spreads zeros over the layers in the beginning.
struct RegrowSchedule : MaskSchedule {
  double exchanged = 0.3;  ///< share of the kept weights that is exchanged at first; falls along half a cosine
  std::function<train::LearnBatch(std::int64_t step)> batch;  ///< to measure gradients on
};

/// Sparse from the first step to the last: a random mask (by layer, or by Erdős-Rényi-kernel shares), of which the
/// smallest weights are exchanged for those that are 0 with the largest gradients, grown from 0. A network that has
/// zeros already keeps their number in each layer.
/// Source  Evci et al., Rigging the lottery, arXiv:1911.11134
train::StepHook regrow_hook(const Graph& graph, const RegrowSchedule& schedule);

/// The share of zeros of each layer, so that all together have `ratio`, larger layers more.
std::vector<double> erdos_renyi_ratios(std::span<const Layer> layers, double ratio);

/// What pulls whole channels towards 0 while training.
struct Penalty {
  enum class Kind : std::uint8_t {
    Scales,   ///< L1 on the scales of batch norms: Liu et al., Network slimming, arXiv:1708.06519
    Groups,   ///< L2 of all that produces a channel (with a batch norm: its scale and shift): Wen et al.,
              ///< arXiv:1608.03665
    Growing,  ///< L2 on the channels that are to go, stronger from step to step: Wang et al., arXiv:2012.09243
    Cost,     ///< Scales, in proportion to the MACs that a channel takes: Gordon et al., MorphNet, arXiv:1711.06798
  };
  Kind kind = Kind::Scales;
  double strength = 1e-3;  ///< Growing: that is reached in the end
  double ratio = 0.5;      ///< Growing: of the channels that are to go, by their L2 at the start
};

/// After each gradient step the exact step of the penalty (proximal): what it pulls to 0 becomes 0.
/// rate: the learning rate at a step of all steps. Throws UsageError when there is nothing to pull at.
train::StepHook penalty_hook(const Graph& graph, const Penalty& penalty,
                             std::function<double(std::int64_t, std::int64_t)> rate);

/// Hooks one after the other.
train::StepHook both(train::StepHook first, train::StepHook second);

}  // namespace adze::prune
