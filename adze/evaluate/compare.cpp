#include "adze/evaluate/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "adze/base/error.h"
#include "adze/base/text.h"
#include "adze/evaluate/detail/judge.h"

namespace adze {

namespace {

/// Running sums of signal and error.
struct ErrorSums {
  double signal = 0.0;
  double error = 0.0;
  double absolute = 0.0;
  double largest = 0.0;
  std::int64_t count = 0;

  void add(std::span<const float> a, std::span<const float> b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      const double difference = a[i] == b[i] ? 0.0 : static_cast<double>(a[i]) - b[i];
      signal += static_cast<double>(a[i]) * a[i];
      error += difference * difference;
      absolute += std::abs(difference);
      largest = std::max(largest, std::abs(difference));
    }
    count += static_cast<std::int64_t>(a.size());
  }
  double sqnr_db() const {
    if (error == 0.0) return std::numeric_limits<double>::infinity();
    return 10.0 * std::log10(signal / error);
  }
};

/// What is gathered of one inner value.
struct LayerSums {
  ErrorSums sums;
  Histogram errors;

  void add(std::span<const float> a, std::span<const float> b) {
    sums.add(a, b);
    std::vector<float> differences(a.size());
    for (std::size_t i = 0; i < a.size(); ++i) differences[i] = b[i] - a[i];
    errors.add(differences);
  }
};

double divergence(std::span<const float> a, std::span<const float> b) {
  const bool already = is_distribution(a) && is_distribution(b);
  const auto p = probabilities(a, already);
  const auto q = probabilities(b, already);
  double sum = 0.0;
  for (std::size_t i = 0; i < p.size(); ++i) sum += p[i] * std::log(p[i] / q[i]);
  return std::max(sum, 0.0);
}

void check_same_data(const Dataset& a, const Dataset& b) {
  bool same = a.size() == b.size();
  for (std::int64_t i = 0; same && i < a.size(); ++i) same = a.label(i) == b.label(i);
  if (!same) throw ModelError("the two networks are given different samples", {b.description(), {}, {}});
}

/// Two loaders that move in step; batches are kept equal because one sample unreadable for one is so for both.
class PairedBatches {
 public:
  PairedBatches(const Dataset& a, const Dataset& b, std::vector<std::int64_t> indices, const EvaluateOptions& options)
      : first_(a, indices, {options.batch_size, options.prefetch}) {
    if (&a != &b) second_.emplace(b, std::move(indices), BatchOptions{options.batch_size, options.prefetch});
  }
  /// False at the end.
  bool next() {
    auto a = first_.next();
    if (second_) {
      auto b = second_->next();
      if (a.has_value() != b.has_value() || (a && a->indices != b->indices)) {
        throw ModelError("a sample can be read for one of the two networks only");
      }
      if (b) b_ = std::move(*b);
    }
    if (a) a_ = std::move(*a);
    return a.has_value();
  }
  const Batch& a() const { return a_; }
  const Batch& b() const { return second_ ? b_ : a_; }

 private:
  BatchLoader first_;
  std::optional<BatchLoader> second_;
  Batch a_, b_;
};

void fill_pairs(CompareResult& result) {
  const auto& a = result.a;
  const auto& b = result.b;
  for (std::size_t i = 0; i < a.predictions.size(); ++i) {
    const bool right_a = a.predictions[i] == a.labels[i], right_b = b.predictions[i] == b.labels[i];
    ++(right_a ? (right_b ? result.both : result.only_a) : (right_b ? result.only_b : result.neither));
    if (a.predictions[i] == b.predictions[i]) ++result.agreements;
  }
  result.agreement = static_cast<double>(result.agreements) / static_cast<double>(result.samples);
  result.agreement_interval = wilson_interval(result.agreements, result.samples);
  result.mcnemar = mcnemar(result.only_a, result.only_b);
  result.p_value = result.mcnemar.mid_p;
  result.difference = b.top1 - a.top1;
  result.difference_interval = paired_difference_interval(result.both, result.only_b, result.only_a, result.neither);
}

}  // namespace

CompareResult compare(const RunFunction& run_a, const RunFunction& run_b, const Dataset& data_a, const Dataset& data_b,
                      const CompareOptions& options, ProgressSink& progress) {
  check_same_data(data_a, data_b);
  const EvaluateOptions& how = options.evaluate;
  auto indices = sample_indices(data_a, how.samples, how.seed, how.sampling);
  ProgressPhase phase(progress, "compare", static_cast<std::int64_t>(indices.size()), "samples");
  PairedBatches batches(data_a, data_b, std::move(indices), how);
  detail::Judge judge_a(data_a, how), judge_b(data_b, how);
  ErrorSums sums;
  double divergence_sum = 0.0;
  while (batches.next()) {
    check_cancelled();
    const auto outputs_a = run_a({&batches.a().inputs, 1});
    const auto outputs_b = run_b({&batches.b().inputs, 1});
    judge_a.add(batches.a(), outputs_a);
    judge_b.add(batches.b(), outputs_b);
    const Tensor a = detail::judged_output(outputs_a, batches.a(), how.output);
    const Tensor b = detail::judged_output(outputs_b, batches.b(), how.output);
    if (a.size() != b.size()) {
      throw ModelError(cat("the networks' outputs differ: ", shape_text(a.shape()), " and ", shape_text(b.shape())));
    }
    sums.add(a.data<float>(), b.data<float>());
    const std::int64_t rows = batches.a().size();
    const auto width = static_cast<std::size_t>(a.size() / rows);
    for (std::size_t i = 0; width > 1 && i < static_cast<std::size_t>(rows); ++i) {
      divergence_sum +=
          divergence(a.data<float>().subspan(i * width, width), b.data<float>().subspan(i * width, width));
    }
    phase.advance(rows);
  }
  CompareResult result;
  result.a = judge_a.finish();
  result.b = judge_b.finish();
  result.samples = result.a.samples;
  if (result.a.task == Task::Classification) {
    fill_pairs(result);
    result.output_kl = divergence_sum / static_cast<double>(result.samples);
  }
  result.output_sqnr_db = sums.sqnr_db();
  result.output_max_abs_error = sums.largest;
  return result;
}

std::vector<LayerError> compare_layers(const ObservedRunFunction& run_a, const ObservedRunFunction& run_b,
                                       const Dataset& data_a, const Dataset& data_b, const CompareOptions& options,
                                       ProgressSink& progress) {
  check_same_data(data_a, data_b);
  const EvaluateOptions& how = options.evaluate;
  if (options.layer_samples <= 0) return {};
  auto indices = sample_indices(data_a, options.layer_samples, how.seed, how.sampling);
  ProgressPhase phase(progress, "compare layers", static_cast<std::int64_t>(indices.size()), "samples");
  PairedBatches batches(data_a, data_b, std::move(indices), how);
  std::vector<std::string> order;
  std::map<std::string, LayerSums, std::less<>> sums;
  while (batches.next()) {
    check_cancelled();
    std::map<std::string, Tensor, std::less<>> values;
    run_a({&batches.a().inputs, 1}, [&](std::string_view name, const Tensor& value) {
      if (is_float(value.dtype())) values.insert_or_assign(std::string(name), converted(value, DType::F32));
      if (is_float(value.dtype()) && sums.try_emplace(std::string(name)).second) order.emplace_back(name);
    });
    run_b({&batches.b().inputs, 1}, [&](std::string_view name, const Tensor& value) {
      const auto found = values.find(name);
      if (found == values.end() || !is_float(value.dtype()) || value.size() != found->second.size()) return;
      const Tensor other = converted(value, DType::F32);
      sums.find(name)->second.add(found->second.data<float>(), other.data<float>());
    });
    phase.advance(batches.a().size());
  }
  std::vector<LayerError> layers;
  for (const auto& name : order) {
    LayerSums& layer = sums.find(name)->second;
    const ErrorSums& sum = layer.sums;
    if (sum.count == 0) continue;
    layers.push_back({name, sum.sqnr_db(), sum.largest, sum.absolute / static_cast<double>(sum.count), sum.count,
                      std::move(layer.errors)});
  }
  return layers;
}

}  // namespace adze
