#include "adze/quantize/zero_shot.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <unordered_map>

#include "adze/base/text.h"
#include "adze/data/preprocessing.h"
#include "adze/quantize/bias_correction.h"
#include "adze/quantize/channel_statistics.h"
#include "adze/quantize/layers.h"
#include "adze/quantize/quantized_layers.h"
#include "adze/quantize/weight_layout.h"

namespace adze::quantize {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Normal channels, all cut off at the same bounds.
struct Distribution {
  ChannelStatistics normal;
  double low = -infinity, high = infinity;
};

/// Mean and deviation of numbers drawn from equal shares of a normal distribution.
std::vector<double> draws(double mean, double deviation, const Distribution& of) {
  constexpr int count = 512;
  std::vector<double> values;
  for (int i = 0; i < count; ++i) {
    // The inverse of the logistic function, scaled, is within 2 % of the normal quantile: enough for a histogram.
    const double share = (i + 0.5) / count;
    const double quantile = std::log(share / (1 - share)) / 1.702;
    values.push_back(std::clamp(mean + deviation * quantile, of.low, of.high));
  }
  for (const double extreme : {mean - 6 * deviation, mean + 6 * deviation}) {
    values.push_back(std::clamp(extreme, of.low, of.high));
  }
  return values;
}

/// After the cut.
ChannelStatistics moments_of(const Distribution& of) {
  if (std::isinf(of.low) && std::isinf(of.high)) return of.normal;
  ChannelStatistics result;
  for (std::size_t i = 0; i < of.normal.mean.size(); ++i) {
    double sum = 0, squares = 0;
    const std::vector<double> values = draws(of.normal.mean[i], of.normal.deviation[i], of);
    for (const double value : values) {
      sum += value;
      squares += value * value;
    }
    const auto count = static_cast<double>(values.size());
    result.mean.push_back(clipped_normal_mean(of.normal.mean[i], of.normal.deviation[i], of.low, of.high));
    result.deviation.push_back(std::sqrt(std::max(0.0, squares / count - sum / count * (sum / count))));
  }
  return result;
}

class Propagation {
 public:
  explicit Propagation(const Graph& graph) : graph_(graph) {
    for (const ValueId input : graph.inputs()) add_input(input);
    for (const NodeId id : topological_order(graph)) {
      if (auto found = behind(graph.node(id))) known_.emplace(graph.node(id).output(), std::move(*found));
    }
  }
  const Distribution* of(ValueId value) const {
    const auto found = known_.find(value);
    return found != known_.end() ? &found->second : nullptr;
  }

 private:
  void add_input(ValueId input) {
    const auto& shape = graph_.value(input).type.shape;
    const Preprocessing preprocessing = preprocessing_of(graph_);
    const std::size_t channels =
        shape && shape->size() > 1 && (*shape)[1].is_known() ? static_cast<std::size_t>((*shape)[1].value) : 1;
    Distribution one;
    for (std::size_t i = 0; i < channels; ++i) {
      const auto at = [&](const std::vector<double>& list, double fallback) {
        return list.empty() ? fallback : list[std::min(i, list.size() - 1)];
      };
      const double shift = at(preprocessing.mean, 0), divide = at(preprocessing.stddev, 1);
      const double low = (0 - shift) / divide, high = (255 * preprocessing.scale - shift) / divide;
      one.normal.mean.push_back((low + high) / 2);
      one.normal.deviation.push_back((high - low) / std::sqrt(12.0));
      one.low = i == 0 ? low : std::min(one.low, low);
      one.high = i == 0 ? high : std::max(one.high, high);
    }
    known_.emplace(input, std::move(one));
  }

  std::optional<Distribution> behind(const Node& node) const {
    if (const auto noted = noted_statistics(node)) return Distribution{*noted};
    const Distribution* input = of(node.input(0));
    if (input == nullptr) return std::nullopt;
    if (role_of(node.kind) == Role::Layer) return behind_layer(node, *input);
    switch (node.kind) {
      case OpKind::Relu:
        return cut(*input, 0, infinity);
      case OpKind::Clip:
        return cut(*input, bound(node, 1, -infinity), bound(node, 2, infinity));
      case OpKind::Add: {
        const Distribution* other = of(node.input(1));
        if (other == nullptr || other->normal.mean.size() != input->normal.mean.size()) return std::nullopt;
        ChannelStatistics a = moments_of(*input);
        const ChannelStatistics b = moments_of(*other);
        for (std::size_t i = 0; i < a.mean.size(); ++i) {
          a.mean[i] += b.mean[i];
          a.deviation[i] = std::hypot(a.deviation[i], b.deviation[i]);
        }
        return Distribution{a};
      }
      case OpKind::GlobalAveragePool:
      case OpKind::AveragePool:
        return Distribution{moments_of(*input)};
      case OpKind::MaxPool:
      case OpKind::Identity:
      case OpKind::Flatten:
      case OpKind::Reshape:
      case OpKind::Squeeze:
      case OpKind::Pad:
        return *input;
      default:
        return std::nullopt;
    }
  }

  static Distribution cut(const Distribution& input, double low, double high) {
    Distribution result = input;
    result.low = std::max(low, input.low);
    result.high = std::min(high, input.high);
    return result;
  }

  double bound(const Node& clip, std::size_t input, double fallback) const {
    const Tensor* tensor = graph_.constant(clip.input(input));
    return tensor != nullptr && tensor->size() == 1 ? tensor->get_double(0) : fallback;
  }

  std::optional<Distribution> behind_layer(const Node& node, const Distribution& input) const {
    const Tensor* weight =
        weight_input(graph_, node) == std::optional<std::size_t>(1) ? graph_.constant(node.input(1)) : nullptr;
    if (weight == nullptr) return std::nullopt;
    const auto layout = weight_layout(node, weight->shape());
    if (!layout) return std::nullopt;
    return through(*layout, weight->data<float>(), bias_of(graph_, node), moments_of(input));
  }

  static std::optional<Distribution> through(const WeightLayout& layout, std::span<const float> weights,
                                             const std::vector<double>& bias, const ChannelStatistics& from) {
    if (layout.all_channels() != std::ssize(from.mean)) return std::nullopt;
    Distribution result;
    for (std::int64_t output = 0; output < layout.all_outputs(); ++output) {
      const std::int64_t group = output / layout.outputs;
      double mean = bias.empty() ? 0 : bias[static_cast<std::size_t>(output)], variance = 0;
      for (std::int64_t i = 0; i < layout.inputs(); ++i) {
        const double w = weights[layout.index(group, output % layout.outputs, i)];
        const auto channel = static_cast<std::size_t>(group * layout.channels + i / layout.taps);
        mean += w * from.mean[channel];
        variance += w * w * from.deviation[channel] * from.deviation[channel];
      }
      result.normal.mean.push_back(mean);
      result.normal.deviation.push_back(std::sqrt(variance));
    }
    return result;
  }

  const Graph& graph_;
  std::unordered_map<ValueId, Distribution> known_;
};

}  // namespace

Observations observations_from_statistics(const Graph& graph, std::span<const ValueId> values) {
  const Propagation propagation(graph);
  Observations observations;
  for (const ValueId value : values) {
    const Distribution* found = propagation.of(value);
    if (found == nullptr) {
      const Node* producer = graph.producer_of(value);
      throw UnsupportedError(cat("no statistics tell what value ", adze::quoted(graph.value(value).name), " is like"),
                             producer != nullptr ? place_of(graph, *producer) : ErrorPlace{graph.source_file, "", ""},
                             "give calibration data, or keep the node float with --skip");
    }
    Histogram& histogram = observations.histograms[value];
    for (std::size_t i = 0; i < found->normal.mean.size(); ++i) {
      const std::vector<double> drawn = draws(found->normal.mean[i], found->normal.deviation[i], *found);
      histogram.add(std::vector<float>(drawn.begin(), drawn.end()));
    }
    observations.moving[value].add(histogram.min(), histogram.max());
  }
  return observations;
}

}  // namespace adze::quantize
