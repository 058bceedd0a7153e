#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "adze/train/learner.h"
#include "adze/train/torch/executor.h"

namespace adze::train {

/// A learner's batch as libtorch's tensors.
struct TorchBatch {
  std::vector<at::Tensor> inputs;
  at::Tensor labels, other_labels, shares, targets;
};

struct TaskLoss {
  at::Tensor loss;
  std::int64_t correct = 0, counted = 0;
};

/// The loss that labels or targets give. Knows which value of the graph holds the logits.
class Criterion {
 public:
  Criterion(const Graph& graph, Loss loss, double label_smoothing);

  /// The value that compute() reads: the first output, or what enters the Softmax or Sigmoid that makes it.
  ValueId logits() const { return logits_; }
  /// Throws ModelError when labels or targets do not fit.
  TaskLoss compute(const at::Tensor& output, const TorchBatch& batch) const;

 private:
  TaskLoss cross_entropy(const at::Tensor& logits, const TorchBatch& batch) const;
  TaskLoss binary_cross_entropy(const at::Tensor& logits, const TorchBatch& batch) const;
  TaskLoss squared_error(const at::Tensor& output, const TorchBatch& batch) const;

  Loss loss_;
  double label_smoothing_;
  ValueId logits_ = ValueId::None;
};

/// What a student learns from its teachers.
class Distillation {
 public:
  Distillation(const Graph& student, const Criterion& criterion, const LearnerOptions& options);

  bool empty() const { return terms_.empty(); }
  /// Values of the student that loss() reads, in its order.
  const std::vector<ValueId>& taps() const { return taps_; }
  /// Projections between features of different widths: learned with the student, not part of it.
  std::vector<Variable>& projections() { return projections_; }
  /// Runs the teachers on the batch.
  void listen(const TorchBatch& batch);
  /// After listen(): what the student's blocks are to read instead of what its own blocks before them gave.
  std::map<ValueId, at::Tensor> block_inputs() const;
  /// After listen(): the terms together.
  at::Tensor loss(std::span<const at::Tensor> tapped) const;

 private:
  struct Term {
    DistillTerm settings;
    ValueId teacher_value;
    int projection = -1;
  };
  void add_term(const Graph& student, const Criterion& criterion, const LearnerOptions& options,
                const DistillTerm& settings);
  at::Tensor term_loss(const Term& term, const at::Tensor& student, const at::Tensor& teacher) const;

  std::vector<std::unique_ptr<Executor>> teachers_;
  std::vector<ValueId> teacher_logits_;
  std::vector<Term> terms_;
  std::vector<ValueId> taps_;
  std::vector<Variable> projections_;
  std::vector<at::Tensor> heard_;  ///< by term
};

}  // namespace adze::train
