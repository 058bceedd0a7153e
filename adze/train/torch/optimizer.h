#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "adze/train/options.h"

namespace adze::train {

/// One parameter as the optimizer sees it.
struct OptimizedParameter {
  std::string name;
  at::Tensor tensor;
  bool decays = true;        ///< weight decay applies
  double rate_factor = 1.0;  ///< on the learning rate
};

/// libtorch's optimizers, with their state by parameter name.
class Optimizer {
 public:
  Optimizer(const std::vector<OptimizedParameter>& parameters, const OptimizerOptions& options);
  ~Optimizer();

  void step(double learning_rate);
  /// Moments and step counts: "momentum:NAME", "exp_avg:NAME", "exp_avg_sq:NAME", "step:NAME".
  std::map<std::string, at::Tensor> state() const;
  void restore(const std::map<std::string, at::Tensor>& state);

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace adze::train
