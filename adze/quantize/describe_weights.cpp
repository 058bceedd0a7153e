#include "adze/quantize/describe_weights.h"

#include <algorithm>
#include <cmath>

#include "adze/quantize/bits.h"
#include "adze/quantize/kernel_sheet.h"
#include "adze/quantize/quantized_layers.h"

namespace adze::quantize {

namespace {

constexpr std::size_t bins = 63;  // odd: zero lies in the middle of a bin

std::vector<double> histogram_of(std::span<const float> values, double limit) {
  std::vector<double> counts(bins, 0.0);
  for (const float value : values) {
    const double place =
        limit > 0 ? (value / limit + 1) / 2 * static_cast<double>(bins) : 0.5 * static_cast<double>(bins);
    counts[static_cast<std::size_t>(std::clamp<double>(place, 0, static_cast<double>(bins - 1)))] += 1;
  }
  return counts;
}

double largest_of(std::span<const float> values) {
  float largest = 0;
  for (const float value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

}  // namespace

void describe(WeightReport& report, std::span<const float> exact, const std::vector<float>& restored) {
  std::vector<float> errors(restored.size());
  for (std::size_t i = 0; i < errors.size(); ++i) errors[i] = restored[i] - exact[i];
  report.limit = largest_of(exact);
  report.histogram = histogram_of(exact, report.limit);
  report.restored_histogram = histogram_of(restored, report.limit);
  report.error_limit = largest_of(errors);
  report.error_histogram = histogram_of(errors, report.error_limit);
  report.sqnr_db = sqnr_db(exact, restored);
}

void describe_weights(const Graph& exact, const Graph& quantized, const PtqOptions& options, QuantizeReport& report) {
  const LayerWidths widths(exact, options);
  for (const QuantizedLayer& layer : quantized_layers(quantized)) {
    const std::string& name = quantized.node(layer.node).name;
    const NodeId same = find_node(exact, name);
    const auto found = std::find_if(report.weights.begin(), report.weights.end(),
                                    [&](const WeightReport& one) { return one.node == name; });
    if (same == NodeId::None || found == report.weights.end()) continue;
    const Tensor* weight = exact.constant(exact.node(same).input(1));
    if (weight == nullptr || weight->dtype() != DType::F32 || weight->shape() != layer.shape) continue;
    found->bits = widths.of(same).weights;
    const std::vector<float> restored = restored_weights(quantized, layer);
    describe(*found, weight->data<float>(), restored);
    found->kernels = kernel_sheet(exact.node(same), *weight, restored);
  }
}

}  // namespace adze::quantize
