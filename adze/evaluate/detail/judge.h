#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "adze/data/batches.h"
#include "adze/evaluate/evaluate.h"

namespace adze::detail {

/// The task that Auto stands for.
Task resolve_task(Task task, const Batch& first);

/// The judged output of a run as float rows, one a sample. Throws ModelError when it has no row for each sample.
Tensor judged_output(const std::vector<Tensor>& outputs, const Batch& batch, std::int64_t output);

/// The predicted class of a row of scores; a single score is decided at the threshold.
std::int64_t predicted_class(std::span<const float> row, double threshold);

/// Scores outputs batch by batch.
class Judge {
 public:
  Judge(const Dataset& dataset, const EvaluateOptions& options) : dataset_(dataset), options_(options) {}

  void add(const Batch& batch, const std::vector<Tensor>& outputs);
  EvaluateResult finish();

 private:
  void start(const Batch& batch, const Tensor& output);
  void add_classes(const Batch& batch, const Tensor& output);
  void add_errors(const Batch& batch, const Tensor& output);
  void finish_classes();
  void finish_errors();

  const Dataset& dataset_;
  EvaluateOptions options_;
  EvaluateResult result_;
  bool started_ = false;
  std::int64_t width_ = 0;  ///< elements of one output row
  std::int64_t classes_ = 0;
  std::int64_t in_top5_ = 0;
  CalibrationCurve calibration_;
  std::vector<float> scores_;       ///< all rows, for AUC
  std::vector<double> row_errors_;  ///< mean squared error of each sample
};

}  // namespace adze::detail
