#pragma once

#include <map>
#include <memory>
#include <string>

#include "adze/train/learner.h"
#include "adze/train/torch/executor.h"
#include "adze/train/torch/kept_weights.h"
#include "adze/train/torch/losses.h"
#include "adze/train/torch/optimizer.h"
#include "adze/train/torch/workers.h"

namespace adze::train {

/// A network trained by libtorch.
class TorchLearner : public Learner {
 public:
  TorchLearner(const Graph& graph, const LearnerOptions& options);

  StepResult step(const LearnBatch& batch, double learning_rate, std::uint64_t seed) override;
  std::vector<Tensor> predict(std::span<const Tensor> inputs) override;
  StepResult measure(const LearnBatch& batch) override;
  std::map<std::string, Tensor> gradients(const LearnBatch& batch, double* loss) override;
  std::vector<std::string> parameters() const override;
  Tensor parameter(const std::string& name) const override;
  void set_parameter(const std::string& name, const Tensor& value) override;
  void set_mask(const std::string& name, const Tensor& mask) override;
  Graph graph() const override;
  State state() const override;
  void restore(const State& state) override;

 private:
  class AverageInUse;
  struct Computed {
    at::Tensor loss, task_loss;
    TaskLoss task;
  };
  TorchBatch to_batch(const LearnBatch& batch) const;
  Computed compute(const TorchBatch& batch, const RunMode& mode);
  [[noreturn]] void refuse_loss(const TorchBatch& batch, const RunMode& mode);
  Variable& variable(const std::string& name);
  const Variable& variable(const std::string& name) const;
  /// Everything that the optimizer moves: parameters, scales, projections.
  std::vector<Variable*> moved();
  void follow_average();
  void swap_average();
  double gradient_norm();

  /// Gradients and the step's figures become the mean over all processes.
  void share(StepResult& result);

  LearnerOptions options_;
  at::Device device_;
  std::shared_ptr<Workers> workers_;  ///< null when alone
  Executor executor_;
  Criterion criterion_;
  Distillation distillation_;
  std::unique_ptr<Optimizer> optimizer_;
  KeptWeights kept_;
  std::vector<at::Tensor> average_;  ///< of moved(), when there is one
  double loss_scale_ = 65536;
  std::int64_t clean_steps_ = 0;  ///< since the loss scale changed
};

}  // namespace adze::train
