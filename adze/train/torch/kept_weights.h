#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "adze/graph/facts.h"
#include "adze/train/torch/executor.h"
#include "adze/train/torch/shared_values.h"

namespace adze::train {

/// What steps must not change: zeros of pruned weights, and that equal weights are equal.
class KeptWeights {
 public:
  /// parameters outlives this and is not moved. Weights with two axes or more are looked at: a bias is 0 by chance.
  KeptWeights(std::vector<Variable>& parameters, const WeightFacts& facts);

  /// Elements at 0 where mask (bool, like the parameter) is false are kept there, from now on; they become 0 now.
  void set_mask(const Variable& parameter, at::Tensor mask);
  const std::map<std::string, at::Tensor>& masks() const { return masks_; }

  /// Before an optimizer's step: no gradient for zeros, one for all that share a value.
  void keep_gradients();
  /// After it. average: the parameters' averages, in their order, and others behind them; may be empty.
  void keep_weights(std::vector<at::Tensor>& average);

 private:
  std::vector<Variable>& parameters_;
  std::map<std::string, at::Tensor> masks_;     ///< by name of the parameter
  std::map<std::size_t, SharedValues> shared_;  ///< by number of the parameter
};

}  // namespace adze::train
