#include <cmath>
#include <limits>
#include <numbers>
#include <optional>

#include "adze/quantize/bias_correction.h"
#include "adze/quantize/channel_statistics.h"
#include "adze/quantize/layers.h"
#include "adze/quantize/quantized_layers.h"

namespace adze::quantize {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

double density(double x) {
  return std::isinf(x) ? 0 : std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
}

double distribution(double x) {
  return std::erfc(-x / std::numbers::sqrt2) / 2;
}

std::vector<double> clipped_means(const ChannelStatistics& statistics, double low, double high) {
  std::vector<double> means;
  for (std::size_t i = 0; i < statistics.mean.size(); ++i) {
    means.push_back(clipped_normal_mean(statistics.mean[i], statistics.deviation[i], low, high));
  }
  return means;
}

double bound_of(const Graph& graph, const Node& clip, std::size_t input, double fallback) {
  const Tensor* bound = graph.constant(clip.input(input));
  return bound != nullptr && bound->size() == 1 ? bound->get_double(0) : fallback;
}

/// The channels' means of a value of the float graph, as far as statistics tell.
std::optional<std::vector<double>> means_of(const Graph& graph, ValueId value) {
  const Node* node = graph.producer_of(value);
  if (node == nullptr) return std::nullopt;
  if (const auto own = noted_statistics(*node)) return own->mean;
  const Node* before = graph.producer_of(node->input(0));
  const auto statistics = before != nullptr ? noted_statistics(*before) : std::nullopt;
  switch (node->kind) {
    case OpKind::Relu:
      if (!statistics) return std::nullopt;
      return clipped_means(*statistics, 0, infinity);
    case OpKind::Clip:
      if (!statistics) return std::nullopt;
      return clipped_means(*statistics, bound_of(graph, *node, 1, -infinity), bound_of(graph, *node, 2, infinity));
    case OpKind::Add: {
      const auto left = means_of(graph, node->input(0)), right = means_of(graph, node->input(1));
      if (!left || !right || left->size() != right->size()) return std::nullopt;
      std::vector<double> sum = *left;
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += (*right)[i];
      return sum;
    }
    case OpKind::AveragePool:
    case OpKind::GlobalAveragePool:
    case OpKind::Identity:
    case OpKind::Flatten:
    case OpKind::Reshape:
      return means_of(graph, node->input(0));
    default:
      return std::nullopt;
  }
}

}  // namespace

double clipped_normal_mean(double mean, double deviation, double low, double high) {
  if (!(deviation > 0)) return std::fmin(std::fmax(mean, low), high);
  const double a = (low - mean) / deviation, b = (high - mean) / deviation;
  double result = deviation * (density(a) - density(b)) + mean * (distribution(b) - distribution(a));
  if (std::isfinite(low)) result += low * distribution(a);
  if (std::isfinite(high)) result += high * (1 - distribution(b));
  return result;
}

BiasCorrectionReport correct_biases_analytically(const Graph& exact, Graph& quantized) {
  BiasCorrectionReport report;
  for (const QuantizedLayer& layer : quantized_layers(quantized)) {
    const std::string name = quantized.node(layer.node).name;
    const NodeId id = find_node(exact, name);
    const Tensor* weight = id != NodeId::None ? exact.constant(exact.node(id).input(1)) : nullptr;
    const auto means = weight != nullptr ? means_of(exact, exact.node(id).input(0)) : std::nullopt;
    const WeightLayout& layout = layer.layout;
    if (!means || weight->shape() != layer.shape || std::ssize(*means) != layout.all_channels()) {
      report.left.push_back(name);  // a Flatten of pictures also ends here: its inputs are more than channels
      continue;
    }
    const std::vector<float> restored = restored_weights(quantized, layer);
    const auto weights = weight->data<float>();
    std::vector<double> change(static_cast<std::size_t>(layout.all_outputs()));
    for (std::int64_t group = 0; group < layout.groups; ++group) {
      for (std::int64_t output = 0; output < layout.outputs; ++output) {
        double& sum = change[static_cast<std::size_t>(group * layout.outputs + output)];
        for (std::int64_t input = 0; input < layout.inputs(); ++input) {
          const std::size_t at = layout.index(group, output, input);
          const auto channel = static_cast<std::size_t>(group * layout.channels + input / layout.taps);
          sum -= (static_cast<double>(restored[at]) - weights[at]) * (*means)[channel];
        }
      }
    }
    (add_to_bias(quantized, layer.node, change) ? report.corrected : report.left).push_back(name);
  }
  return report;
}

}  // namespace adze::quantize
