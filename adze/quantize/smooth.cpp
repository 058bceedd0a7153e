#include "adze/quantize/smooth.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "adze/engine/session.h"
#include "adze/quantize/weight_layout.h"

namespace adze::quantize {

namespace {

/// The largest weight that each input channel meets, over all layers.
std::vector<double> weight_reaches(const Graph& graph, const SharedInput& input) {
  std::vector<double> reaches(static_cast<std::size_t>(input.channels), 0.0);
  for (const NodeId id : input.layers) {
    const Node& layer = graph.node(id);
    const Tensor& weight = *graph.constant(layer.input(1));
    const WeightLayout layout = *weight_layout(layer, weight.shape());
    const auto values = weight.data<float>();
    for (std::int64_t channel = 0; channel < input.channels; ++channel) {
      double& reach = reaches[static_cast<std::size_t>(channel)];
      for (std::int64_t output = 0; output < layout.outputs; ++output) {
        reach = std::max(reach, static_cast<double>(std::abs(values[layout.index(0, output, channel)])));
      }
    }
  }
  return reaches;
}

}  // namespace

std::unordered_map<ValueId, ChannelMagnitudes> measure_magnitudes(const Graph& graph,
                                                                  const std::vector<SharedInput>& inputs,
                                                                  const CalibrationData& data, std::int64_t max_samples,
                                                                  ProgressSink& progress) {
  std::map<std::string, const SharedInput*, std::less<>> wanted;
  for (const SharedInput& input : inputs) wanted.emplace(graph.value(input.value).name, &input);
  std::unordered_map<ValueId, ChannelMagnitudes> result;
  std::unordered_map<ValueId, std::int64_t> rows;
  Session session(graph, float_session_options());
  session.observe([&](std::string_view name, const Tensor& tensor) {
    const auto found = wanted.find(name);
    if (found == wanted.end() || tensor.dtype() != DType::F32) return;
    const auto channels = static_cast<std::size_t>(found->second->channels);
    ChannelMagnitudes& magnitudes = result[found->second->value];
    magnitudes.largest.resize(channels);
    magnitudes.mean.resize(channels);
    const auto values = tensor.data<float>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double magnitude = std::abs(values[i]);
      magnitudes.largest[i % channels] = std::max(magnitudes.largest[i % channels], magnitude);
      magnitudes.mean[i % channels] += magnitude;
    }
    rows[found->second->value] += static_cast<std::int64_t>(values.size() / channels);
  });
  run_samples(session, data, max_samples, "channel magnitudes", progress);
  for (auto& [value, magnitudes] : result) {
    for (double& mean : magnitudes.mean) mean /= static_cast<double>(std::max<std::int64_t>(1, rows[value]));
  }
  return result;
}

std::vector<double> smoothing_factors(const std::vector<double>& activations, const std::vector<double>& weights,
                                      double alpha) {
  std::vector<double> factors(activations.size(), 1.0);
  for (std::size_t i = 0; i < factors.size(); ++i) {
    if (!(activations[i] > 0) || !(weights[i] > 0)) continue;
    const double factor = std::pow(activations[i], alpha) / std::pow(weights[i], 1 - alpha);
    if (std::isfinite(factor) && factor > 0) factors[i] = std::max(factor, 1e-5);  // as the authors bound it
  }
  return factors;
}

SmoothReport smooth_activations(Graph& graph, double alpha, const CalibrationData& data, std::int64_t max_samples,
                                ProgressSink& progress) {
  SmoothReport report;
  const std::vector<SharedInput> inputs = shared_inputs(graph);
  if (inputs.empty()) return report;
  const auto magnitudes = measure_magnitudes(graph, inputs, data, max_samples, progress);
  for (const SharedInput& input : inputs) {
    const auto found = magnitudes.find(input.value);
    if (found == magnitudes.end()) continue;
    const std::vector<double> factors = smoothing_factors(found->second.largest, weight_reaches(graph, input), alpha);
    move_factors(graph, input, factors);
    ++report.inputs;
    report.layers += static_cast<int>(input.layers.size());
    for (const double factor : factors) report.largest_factor = std::max({report.largest_factor, factor, 1 / factor});
  }
  return report;
}

}  // namespace adze::quantize
