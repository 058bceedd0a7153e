#include <algorithm>
#include <cmath>

#include "adze/base/error.h"
#include "adze/base/text.h"
#include "adze/evaluate/detail/judge.h"

namespace adze::detail {

namespace {

// One-against-rest curves over thousands of classes would hold every score in memory and tell nobody anything.
constexpr std::int64_t max_auc_classes = 128;

std::optional<double> known(double value) {
  return std::isnan(value) ? std::nullopt : std::optional(value);
}

}  // namespace

Task resolve_task(Task task, const Batch& first) {
  if (task != Task::Auto) return task;
  const bool labelled =
      std::any_of(first.labels.begin(), first.labels.end(), [](std::int64_t label) { return label >= 0; });
  if (labelled) return Task::Classification;
  return first.targets ? Task::Regression : Task::Reconstruction;
}

Tensor judged_output(const std::vector<Tensor>& outputs, const Batch& batch, std::int64_t output) {
  if (output < 0 || output >= static_cast<std::int64_t>(outputs.size())) {
    throw UsageError(cat("the network has ", outputs.size(), " outputs, there is no output ", output));
  }
  const Tensor& values = outputs[static_cast<std::size_t>(output)];
  if (values.rank() == 0 || values.dim(0) != batch.size()) {
    throw ModelError(cat("output ", output, " has shape ", shape_text(values.shape()), " for ", batch.size(),
                         " samples, expected one row a sample"),
                     {}, "if the network's batch is fixed, use that batch size");
  }
  return values.dtype() == DType::F32 ? values : converted(values, DType::F32);
}

std::int64_t predicted_class(std::span<const float> row, double threshold) {
  if (row.size() == 1) return static_cast<double>(row[0]) > threshold ? 1 : 0;
  return argmax(row);
}

void Judge::add(const Batch& batch, const std::vector<Tensor>& outputs) {
  const Tensor output = judged_output(outputs, batch, options_.output);
  if (!started_) start(batch, output);
  if (output.size() != batch.size() * width_) throw ModelError("the network's output changes its size between batches");
  result_.samples += batch.size();
  result_.indices.insert(result_.indices.end(), batch.indices.begin(), batch.indices.end());
  result_.labels.insert(result_.labels.end(), batch.labels.begin(), batch.labels.end());
  if (result_.task == Task::Classification) {
    add_classes(batch, output);
  } else {
    add_errors(batch, output);
  }
}

void Judge::start(const Batch& batch, const Tensor& output) {
  started_ = true;
  width_ = output.size() / batch.size();
  result_.task = resolve_task(options_.task, batch);
  if (result_.task != Task::Classification) return;
  classes_ = std::max<std::int64_t>(width_, 2);
  const std::int64_t found = dataset_.num_classes();
  const bool named = !dataset_.class_names().empty();
  // Labels alone may leave the highest classes out; names must match one to one.
  if (found == 0) throw ModelError("the data set has no class labels", {dataset_.description(), {}, {}});
  if (found > classes_ || (named && found != classes_)) {
    throw ModelError(cat("the data has ", found, " classes, but the network has ", width_, " outputs"),
                     {dataset_.description(), {}, {}}, "use the data that the network was trained for");
  }
  result_.confusion = ConfusionMatrix(classes_);
}

void Judge::add_classes(const Batch& batch, const Tensor& output) {
  const auto scores = output.data<float>();
  for (std::int64_t i = 0; i < batch.size(); ++i) {
    const auto row = scores.subspan(static_cast<std::size_t>(i * width_), static_cast<std::size_t>(width_));
    const std::int64_t truth = batch.labels[static_cast<std::size_t>(i)];
    const std::int64_t predicted = predicted_class(row, options_.threshold);
    result_.predictions.push_back(predicted);
    if (truth < 0)
      throw ModelError(cat("sample ", dataset_.name(batch.indices[static_cast<std::size_t>(i)]), " has no label"));
    result_.confusion.add(truth, predicted);
    if (width_ == 1 || rank_of(row, truth) < 5) ++in_top5_;
    if (width_ > 1) {
      const auto likely = static_cast<std::size_t>(predicted);
      calibration_.add(probabilities(row, is_distribution(row))[likely], predicted == truth);
    }
  }
  if (classes_ <= max_auc_classes) scores_.insert(scores_.end(), scores.begin(), scores.end());
}

void Judge::add_errors(const Batch& batch, const Tensor& output) {
  if (result_.task == Task::Regression && !batch.targets)
    throw ModelError("the data set has no targets to judge against");
  const Tensor& wanted = result_.task == Task::Regression ? *batch.targets : batch.inputs;
  if (wanted.size() != output.size()) {
    throw ModelError(cat("the network's output ", shape_text(output.shape()), " cannot be compared with ",
                         result_.task == Task::Regression ? "targets " : "inputs ", shape_text(wanted.shape())),
                     {}, "data without labels is compared with itself, as for autoencoders; others need labelled data");
  }
  const Tensor truth = converted(wanted, DType::F32);
  const auto a = output.data<float>();
  const auto b = truth.data<float>();
  for (std::int64_t i = 0; i < batch.size(); ++i) {
    double sum = 0.0;
    for (std::int64_t k = i * width_; k < (i + 1) * width_; ++k) {
      const double error = static_cast<double>(a[static_cast<std::size_t>(k)]) - b[static_cast<std::size_t>(k)];
      sum += error * error;
    }
    row_errors_.push_back(sum / static_cast<double>(std::max<std::int64_t>(width_, 1)));
  }
}

void Judge::finish_classes() {
  result_.correct = result_.confusion.correct();
  const auto samples = static_cast<double>(result_.samples);
  result_.top1 = static_cast<double>(result_.correct) / samples;
  result_.top5 = static_cast<double>(in_top5_) / samples;
  result_.interval = wilson_interval(result_.correct, result_.samples);
  result_.macro_f1 = result_.confusion.macro_f1();
  result_.calibration_error = calibration_.expected_error();
  double auc_sum = 0.0;
  std::int64_t curves = 0;
  std::vector<double> scores(static_cast<std::size_t>(result_.samples));
  std::vector<bool> positive(scores.size());
  for (std::int64_t c = 0; c < classes_; ++c) {
    ClassResult row;
    row.name = c < static_cast<std::int64_t>(dataset_.class_names().size())
                   ? dataset_.class_names()[static_cast<std::size_t>(c)]
                   : cat(c);
    row.samples = result_.confusion.samples_of(c);
    row.correct = result_.confusion.at(c, c);
    row.accuracy = row.samples > 0 ? static_cast<double>(row.correct) / static_cast<double>(row.samples) : 0.0;
    row.interval = wilson_interval(row.correct, row.samples);
    if (!scores_.empty()) {
      for (std::size_t i = 0; i < scores.size(); ++i) {
        const float score =
            width_ == 1 ? scores_[i] : scores_[i * static_cast<std::size_t>(width_) + static_cast<std::size_t>(c)];
        // With two scores their difference decides, whether they are logits or probabilities.
        const float rest = width_ == 2 ? scores_[2 * i + static_cast<std::size_t>(1 - c)] : 0.0F;
        scores[i] = width_ == 1 && c == 0 ? -static_cast<double>(score) : static_cast<double>(score) - rest;
        positive[i] = result_.labels[i] == c;
      }
      row.auc = known(area_under_curve(scores, positive));
      if (row.auc) auc_sum += *row.auc, ++curves;
    }
    result_.classes.push_back(std::move(row));
  }
  if (classes_ == 2) {
    result_.auc = result_.classes[1].auc;
  } else if (curves > 0) {
    result_.auc = auc_sum / static_cast<double>(curves);
  }
}

void Judge::finish_errors() {
  double sum = 0.0;
  for (const double error : row_errors_) sum += error;
  result_.mse = sum / static_cast<double>(row_errors_.size());
  // An autoencoder that flags anomalies: label 1 should be reconstructed worse.
  std::vector<bool> anomalous;
  bool two_kinds = true;
  for (const std::int64_t label : result_.labels) {
    two_kinds = two_kinds && (label == 0 || label == 1);
    anomalous.push_back(label == 1);
  }
  if (result_.task == Task::Reconstruction && two_kinds) result_.auc = known(area_under_curve(row_errors_, anomalous));
}

EvaluateResult Judge::finish() {
  result_.skipped = dataset_.bad_samples();
  if (!started_) {
    std::string why = "there is no sample to judge";
    if (!result_.skipped.empty()) {
      why = cat("none of the samples could be read; the first: ", result_.skipped[0].name, ": ",
                result_.skipped[0].reason);
    }
    throw ModelError(why, {dataset_.description(), {}, {}});
  }
  if (result_.task == Task::Classification) {
    finish_classes();
  } else {
    finish_errors();
  }
  return std::move(result_);
}

}  // namespace adze::detail
