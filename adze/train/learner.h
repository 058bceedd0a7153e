#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "adze/graph/graph.h"
#include "adze/train/options.h"

namespace adze::train {

/// Named tensors: what a checkpoint holds.
using State = std::map<std::string, Tensor>;

/// A batch to learn from. Which of labels and targets is used follows from the loss.
struct LearnBatch {
  std::vector<Tensor> inputs;  ///< one for each input of the graph, [samples, …]
  Tensor labels;               ///< s64 [samples], or [samples, tokens] for language; -1 counts for nothing
  Tensor other_labels;         ///< mixup: the second picture's, s64 like labels; else empty
  std::vector<float> shares;   ///< mixup: how much of each sample is the first picture's; else empty
  Tensor targets;              ///< regression: f32 like the output; else empty
};

/// What one step did.
struct StepResult {
  double loss = 0;           ///< mean over the batch, all terms together
  double task_loss = 0;      ///< the part that labels or targets give
  double gradient_norm = 0;  ///< before clipping
  std::int64_t correct = 0;  ///< labels met (language: tokens)
  std::int64_t counted = 0;  ///< labels that count
  bool skipped = false;      ///< gradients overflowed in half precision: the loss scale was lowered instead
};

/// A network being trained. Implemented by the plug-in; no types of libtorch here.
class Learner {
 public:
  virtual ~Learner() = default;

  /// Forward, loss, backward and update of all parameters. seed: of the dropouts of this step.
  /// Throws ModelError naming the first node that computes NaN or infinity when the loss is not finite; then nothing
  /// has been updated.
  virtual StepResult step(const LearnBatch& batch, double learning_rate, std::uint64_t seed) = 0;
  /// The graph's outputs as deployment computes them, with the averaged weights where there are any.
  virtual std::vector<Tensor> predict(std::span<const Tensor> inputs) = 0;
  /// Loss and hits of a batch in deployment form, with the averaged weights where there are any; nothing is updated.
  virtual StepResult measure(const LearnBatch& batch) = 0;
  /// Mean loss of a batch and the gradient of every parameter, by value name; nothing is updated.
  virtual std::map<std::string, Tensor> gradients(const LearnBatch& batch, double* loss = nullptr) = 0;

  /// Names of the parameters, in graph order.
  virtual std::vector<std::string> parameters() const = 0;
  virtual Tensor parameter(const std::string& name) const = 0;
  virtual void set_parameter(const std::string& name, const Tensor& value) = 0;
  /// Keeps the elements at 0 where mask (bool, like the parameter) is false, from now on.
  virtual void set_mask(const std::string& name, const Tensor& mask) = 0;

  /// The graph with its weights, statistics and scales as trained; averaged where there is an average.
  virtual Graph graph() const = 0;
  /// Everything that the next step depends on.
  virtual State state() const = 0;
  /// Throws ModelError when the names or shapes are not this network's.
  virtual void restore(const State& state) = 0;
};

/// What the plug-in offers.
class Plugin {
 public:
  virtual ~Plugin() = default;
  /// "libtorch 1.13.1, CPU, OpenBLAS"
  virtual std::string description() const = 0;
  virtual std::unique_ptr<Learner> make_learner(const Graph& graph, const LearnerOptions& options) = 0;
  /// Runs the graph as training would: every operator under autograd. For tests and comparison.
  virtual std::vector<Tensor> forward(const Graph& graph, std::span<const Tensor> inputs) = 0;
  /// d(Σ_k Σ output_k · weights_k) / d input_i for the floating inputs named, as doubles where inputs are.
  virtual std::vector<Tensor> input_gradients(const Graph& graph, std::span<const Tensor> inputs,
                                              std::span<const Tensor> weights) = 0;
  /// Can this operator be trained through?
  virtual bool supports(OpKind kind) const = 0;
};

/// Opens libadze_torch.so: beside the command, in ../lib/adze of it, or at the path given. Once per process.
/// Throws UnsupportedError that says how to install it.
Plugin& plugin(const std::string& path = {});

}  // namespace adze::train
