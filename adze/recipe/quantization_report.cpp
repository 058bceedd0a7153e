#include "adze/recipe/quantization_report.h"

#include <algorithm>
#include <map>
#include <optional>

#include "adze/evaluate/compare.h"
#include "adze/quantize/channel_codes.h"
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

constexpr std::size_t most_cells = 64;  // of a row of a map

enum class Cell : std::uint8_t { Mean, Most };

/// One number for each cell, of the channels that share it.
std::vector<double> cells(const std::vector<double>& channels, Cell kind) {
  const std::size_t count = std::min(most_cells, channels.size());
  std::vector<double> result(count, 0.0);
  for (std::size_t cell = 0; cell < count; ++cell) {
    const std::size_t begin = cell * channels.size() / count, end = (cell + 1) * channels.size() / count;
    for (std::size_t i = begin; i < end; ++i) {
      result[cell] = kind == Cell::Most ? std::max(result[cell], channels[i])
                                        : result[cell] + channels[i] / static_cast<double>(end - begin);
    }
  }
  return result;
}

SaturationFigure saturation_figure(const quantize::ChannelCodes& codes) {
  SaturationFigure figure;
  figure.name = codes.value;
  figure.channels = std::ssize(codes.lowest);
  figure.lowest = cells(codes.lowest, Cell::Mean);
  figure.highest = cells(codes.highest, Cell::Mean);
  figure.cut_off = cells(codes.cut_off, Cell::Most);
  const auto worst = std::max_element(codes.cut_off.begin(), codes.cut_off.end());
  if (worst == codes.cut_off.end()) return figure;
  figure.most_cut_off = *worst;
  figure.worst_channel = worst - codes.cut_off.begin();
  return figure;
}

/// The codes as real numbers, in the bins of the float values.
void add_after(HistogramFigure& histogram, const quantize::ChannelCodes& codes) {
  const std::size_t bins = histogram.counts.size();
  const double span = histogram.high - histogram.low;
  if (codes.codes.empty() || bins == 0 || !(span > 0)) return;
  histogram.after.assign(bins, 0.0);
  for (std::size_t i = 0; i < codes.codes.size(); ++i) {
    const double real = codes.low + codes.scale * static_cast<double>(i);
    const double place = (real - histogram.low) / span * static_cast<double>(bins);
    const auto bin = static_cast<std::size_t>(std::clamp(place, 0.0, static_cast<double>(bins - 1)));
    histogram.after[bin] += static_cast<double>(codes.codes[i]);
  }
}

/// What calibration saw of one activation, and what its codes cover.
HistogramFigure histogram_figure(const quantize::ActivationReport& one) {
  return {one.value,     one.min, one.max, one.histogram, one.low, one.high, one.affine.scale, one.affine.zero_point,
          one.saturated, {}};
}

}  // namespace

void add_quantization(Report& report, const Graph& exact, const Graph& quantized,
                      const quantize::QuantizeReport& quantization, const Dataset* data, ProgressSink& progress) {
  report.layers = layer_figures(quantized);
  const Numbers errors = data != nullptr ? add_errors(report, exact, quantized, *data, progress) : Numbers{};
  Numbers saturated, weight_ratios;
  for (const auto& one : quantization.activations) {
    saturated[one.value] = one.saturated;
    report.histograms.push_back(histogram_figure(one));
  }
  for (const auto& one : quantization.weights) {
    weight_ratios[one.node] = one.sqnr_db;
    if (one.histogram.empty()) continue;
    report.weight_histograms.push_back({one.node, one.bits, one.limit, one.histogram, one.restored_histogram,
                                        one.error_limit, one.error_histogram, one.sqnr_db});
    const auto& kernels = one.kernels;
    if (kernels.before.empty()) continue;
    report.kernels.push_back({one.node, one.bits, kernels.height, kernels.width, kernels.columns, kernels.colours,
                              kernels.by_input, kernels.before, kernels.after});
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

void add_codes(Report& report, const Graph& quantized, const quantize::CalibrationData& calibration,
               std::int64_t max_samples, ProgressSink& progress) {
  for (const auto& codes : quantize::channel_codes(quantized, calibration, max_samples, progress)) {
    report.saturation.push_back(saturation_figure(codes));
    for (HistogramFigure& histogram : report.histograms) {
      if (histogram.name == codes.value) add_after(histogram, codes);
    }
  }
}

}  // namespace adze
