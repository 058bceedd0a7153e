#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adze/base/progress.h"
#include "adze/data/batches.h"
#include "adze/data/dataset.h"
#include "adze/evaluate/metrics.h"

namespace adze {

/// Runs a network on one batch: inputs in graph order, outputs in graph order.
using RunFunction = std::function<std::vector<Tensor>(std::span<const Tensor>)>;

enum class Task : std::uint8_t {
  Auto,            ///< Classification with labels; else Regression with targets; else Reconstruction
  Classification,  ///< output [N, classes]: scores or logits; or [N, 1] or [N]: score of class 1, decided at a
                   ///< threshold
  Regression,      ///< mean squared error against the targets
  Reconstruction,  ///< mean squared error of the output against the input, as an autoencoder is judged
};

struct EvaluateOptions {
  Task task = Task::Auto;
  std::int64_t batch_size = 32;  ///< 1 for a network whose batch dimension is fixed to 1
  std::int64_t samples = 0;      ///< 0: all; else as many, sampled with seed
  std::uint64_t seed = 0;
  Sampling sampling = Sampling::Stratified;
  int prefetch = 2;         ///< batches decoded ahead; 0: on the calling thread
  std::int64_t output = 0;  ///< which output of the network is judged
  double threshold = 0.5;   ///< for a single-score output
};

struct ClassResult {
  std::string name;
  std::int64_t samples = 0;
  std::int64_t correct = 0;
  double accuracy = 0.0;  ///< recall; 0 without samples
  Interval interval;
  std::optional<double> auc;  ///< one against the rest
};

/// What the network scored. Fractions are 0 … 1.
struct EvaluateResult {
  Task task = Task::Classification;
  std::int64_t samples = 0;
  std::int64_t correct = 0;
  double top1 = 0.0;
  double top5 = 0.0;
  Interval interval;  ///< Wilson 95 % of top1
  double macro_f1 = 0.0;
  double calibration_error = 0.0;  ///< expected calibration error (metrics.h)
  std::optional<double> auc;       ///< two classes: of class 1; more: mean of one-against-rest
  std::optional<double> mse;       ///< Regression, Reconstruction; Reconstruction with two labels also sets auc
  ConfusionMatrix confusion;
  std::vector<ClassResult> classes;
  std::vector<BadSample> skipped;
  double seconds = 0.0;
  /// Per sample in the order of `indices`, for paired tests.
  std::vector<std::int64_t> indices, labels, predictions;
};

/// Runs every chosen sample and scores it. Cancellable; reports images to progress.
/// Throws ModelError when there is nothing to judge or the classes do not match the network's outputs.
EvaluateResult evaluate(const RunFunction& run, const Dataset& dataset, const EvaluateOptions& options = {},
                        ProgressSink& progress = silent_progress());

}  // namespace adze
