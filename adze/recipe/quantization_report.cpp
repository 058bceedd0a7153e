#include "adze/recipe/quantization_report.h"

#include <algorithm>
#include <map>
#include <optional>

#include "adze/evaluate/compare.h"
#include "adze/recipe/figures.h"
#include "adze/recipe/runner.h"

namespace adze {

namespace {

using Numbers = std::map<std::string, double>;

std::optional<double> find(const Numbers& numbers, const std::string& key) {
  const auto found = numbers.find(key);
  return found != numbers.end() ? std::optional(found->second) : std::nullopt;
}

/// Runs both networks and returns the signal-to-noise ratio of each value.
Numbers add_errors(Report& report, const Graph& exact, const Graph& quantized, const Dataset& data,
                   ProgressSink& progress) {
  constexpr int error_bins = 63;  // odd: zero lies in the middle of a bin
  Numbers ratios;
  CompareOptions options;
  options.layer_samples = std::min<std::int64_t>(64, data.size());
  options.evaluate.batch_size = batch_size_for(exact, 32);
  for (const LayerError& error :
       compare_layers(make_observed_runner(exact), make_observed_runner(quantized), data, data, options, progress)) {
    ratios[error.name] = error.sqnr_db;
    const double limit = error.max_abs_error;
    if (!(limit > 0)) continue;
    report.error_histograms.push_back(
        {error.name, limit, error.errors.uniform(-limit, limit, error_bins), error.sqnr_db});
  }
  return ratios;
}

}  // namespace

void add_quantization(Report& report, const Graph& exact, const Graph& quantized,
                      const quantize::QuantizeReport& quantization, const Dataset* data, ProgressSink& progress) {
  report.layers = layer_figures(quantized);
  const Numbers errors = data != nullptr ? add_errors(report, exact, quantized, *data, progress) : Numbers{};
  Numbers saturated, weight_ratios;
  for (const auto& one : quantization.activations) {
    saturated[one.value] = one.saturated;
    report.histograms.push_back({one.value, one.min, one.max, one.histogram, one.low, one.high, one.affine.scale,
                                 one.affine.zero_point, one.saturated});
  }
  for (const auto& one : quantization.weights) {
    weight_ratios[one.node] = one.sqnr_db;
    if (one.histogram.empty()) continue;
    report.weight_histograms.push_back({one.node, one.bits, one.limit, one.histogram, one.restored_histogram,
                                        one.error_limit, one.error_histogram, one.sqnr_db});
  }
  std::map<std::string, std::string> output_of;
  for (const NodeId id : quantized.node_ids()) {
    const Node& node = quantized.node(id);
    if (node.output() != ValueId::None) output_of[node.name] = quantized.value(node.output()).name;
  }
  for (LayerFigures& layer : report.layers) {
    layer.sqnr_db = find(errors, output_of[layer.name]);
    layer.saturated = find(saturated, output_of[layer.name]);
    layer.weight_sqnr_db = find(weight_ratios, layer.name);
  }
}

}  // namespace adze
