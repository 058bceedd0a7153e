#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "adze/evaluate/evaluate.h"
#include "adze/numerics/histogram.h"

namespace adze {

/// Called with the name and content of an inner value while a network runs.
using ObserveFunction = std::function<void(std::string_view value_name, const Tensor& value)>;
/// Runs a network on one batch and shows its inner values to the observer.
using ObservedRunFunction = std::function<std::vector<Tensor>(std::span<const Tensor>, const ObserveFunction&)>;

struct CompareOptions {
  EvaluateOptions evaluate;
  std::int64_t layer_samples = 64;  ///< samples used for the per-layer figures; 0: no layers
};

/// How far one inner value of b is from that of a.
struct LayerError {
  std::string name;
  double sqnr_db = 0.0;  ///< 10·log10(Σa² / Σ(a−b)²); +inf when equal
  double max_abs_error = 0.0;
  double mean_abs_error = 0.0;
  std::int64_t elements = 0;  ///< compared, all samples together
  Histogram errors;           ///< of b - a
};

struct CompareResult {
  EvaluateResult a, b;
  std::int64_t samples = 0;  ///< judged by both
  std::int64_t agreements = 0;
  double agreement = 0.0;  ///< fraction with the same predicted class
  Interval agreement_interval;
  std::int64_t only_a = 0, only_b = 0, both = 0, neither = 0;  ///< who was right
  McNemar mcnemar;
  double p_value = 1.0;     ///< mid-p McNemar
  double difference = 0.0;  ///< top1 of b minus top1 of a
  Interval difference_interval;
  double output_sqnr_db = 0.0;
  double output_max_abs_error = 0.0;
  double output_kl =
      0.0;  ///< mean KL(softmax a ‖ softmax b) in nats; outputs that already are probabilities as they are
  std::vector<LayerError> layers;  ///< in the order in which a computed them; values that both networks have, by name
};

/// Judges two networks on the same samples, each on what it needs: data_b serves b when its preprocessing differs, in
/// the same order as data_a. Throws ModelError when the two data sets or the outputs do not match.
CompareResult compare(const RunFunction& run_a, const RunFunction& run_b, const Dataset& data_a, const Dataset& data_b,
                      const CompareOptions& options = {}, ProgressSink& progress = silent_progress());

/// The per-layer part alone.
std::vector<LayerError> compare_layers(const ObservedRunFunction& run_a, const ObservedRunFunction& run_b,
                                       const Dataset& data_a, const Dataset& data_b, const CompareOptions& options = {},
                                       ProgressSink& progress = silent_progress());

}  // namespace adze
