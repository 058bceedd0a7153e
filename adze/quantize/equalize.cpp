#include "adze/quantize/equalize.h"

#include <algorithm>
#include <cmath>

#include "adze/quantize/channel_statistics.h"
#include "adze/quantize/layers.h"
#include "adze/quantize/weight_layout.h"

namespace adze::quantize {

namespace {

constexpr int most_rounds = 100;
constexpr double settled = 1e-3;

WeightLayout layout_of(const Graph& graph, const Node& layer) {
  return *weight_layout(layer, graph.constant(layer.input(1))->shape());
}

/// Calls visit(output channel, input channel, element) for all weights of the layer.
template <typename Visit>
void visit_weights(const WeightLayout& layout, Visit visit) {
  for (std::int64_t group = 0; group < layout.groups; ++group) {
    for (std::int64_t output = 0; output < layout.outputs; ++output) {
      for (std::int64_t input = 0; input < layout.inputs(); ++input) {
        visit(static_cast<std::size_t>(group * layout.outputs + output),
              static_cast<std::size_t>(group * layout.channels + input / layout.taps),
              layout.index(group, output, input));
      }
    }
  }
}

/// The largest weight of each output channel (or input channel, spread of them taken together).
std::vector<double> reaches(const Graph& graph, const Node& layer, bool of_inputs, std::int64_t spread) {
  const WeightLayout layout = layout_of(graph, layer);
  const auto weights = graph.constant(layer.input(1))->data<float>();
  std::vector<double> result(
      static_cast<std::size_t>(of_inputs ? layout.all_channels() / spread : layout.all_outputs()));
  visit_weights(layout, [&](std::size_t output, std::size_t input, std::size_t at) {
    double& reach = result[of_inputs ? input / static_cast<std::size_t>(spread) : output];
    reach = std::max(reach, static_cast<double>(std::abs(weights[at])));
  });
  return result;
}

void scale_outputs(Graph& graph, NodeId id, const std::vector<double>& factors) {
  const Node& layer = graph.node(id);
  const WeightLayout layout = layout_of(graph, layer);
  const auto weights = graph.value(layer.input(1)).constant->mutable_data<float>();
  visit_weights(layout, [&](std::size_t output, std::size_t, std::size_t at) {
    weights[at] = static_cast<float>(weights[at] * factors[output]);
  });
  if (const auto bias = bias_input(layer)) {
    const auto offsets = graph.value(layer.input(*bias)).constant->mutable_data<float>();
    for (std::size_t i = 0; i < offsets.size(); ++i) offsets[i] = static_cast<float>(offsets[i] * factors[i]);
  }
  if (auto statistics = noted_statistics(layer)) {
    for (std::size_t i = 0; i < statistics->mean.size() && i < factors.size(); ++i) {
      statistics->mean[i] *= factors[i];
      statistics->deviation[i] *= factors[i];
    }
    set_noted_statistics(graph.node(id), *statistics);
  }
}

void scale_inputs(Graph& graph, NodeId id, const std::vector<double>& factors, std::int64_t spread) {
  const Node& layer = graph.node(id);
  const auto weights = graph.value(layer.input(1)).constant->mutable_data<float>();
  visit_weights(layout_of(graph, layer), [&](std::size_t, std::size_t input, std::size_t at) {
    weights[at] = static_cast<float>(weights[at] * factors[input / static_cast<std::size_t>(spread)]);
  });
}

/// One pair made alike; how far the factors were from 1.
double equalize_pair(Graph& graph, const LayerPair& pair, EqualizeReport& report) {
  const std::vector<double> first = reaches(graph, graph.node(pair.first), false, 1);
  const std::vector<double> second = reaches(graph, graph.node(pair.second), true, pair.spread);
  std::vector<double> up(first.size(), 1.0), down(first.size(), 1.0);
  double furthest = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (first[i] == 0 || second[i] == 0) continue;
    const double factor = std::sqrt(first[i] * second[i]) / second[i];
    if (!std::isfinite(factor) || factor == 0) continue;
    up[i] = factor;
    down[i] = 1 / factor;
    furthest = std::max(furthest, std::abs(std::log(factor)));
  }
  scale_outputs(graph, pair.first, down);
  scale_inputs(graph, pair.second, up, pair.spread);
  report.largest_factor = std::max(report.largest_factor, std::exp(furthest));
  return furthest;
}

int open_clips_between(Graph& graph, const LayerPair& pair) {
  int opened = 0;
  for (const NodeId id : pair.between) {
    Node& node = graph.node(id);
    if (node.kind != OpKind::Clip) continue;
    node.kind = OpKind::Relu;
    node.inputs.resize(1);
    ++opened;
  }
  return opened;
}

bool has_clip(const Graph& graph, const LayerPair& pair) {
  return std::any_of(pair.between.begin(), pair.between.end(),
                     [&](NodeId id) { return graph.node(id).kind == OpKind::Clip; });
}

bool pads(const Node& layer) {
  if (layer.kind != OpKind::Conv && layer.kind != OpKind::ConvTranspose) return false;
  const auto sizes = layer.get_ints("pads");
  const std::string mode = layer.get_string("auto_pad");
  return (mode != "NOTSET" && mode != "VALID") ||
         std::any_of(sizes.begin(), sizes.end(), [](auto n) { return n != 0; });
}

bool can_absorb(const Graph& graph, const LayerPair& pair) {
  return pair.between.size() == 1 && graph.node(pair.between[0]).kind == OpKind::Relu && pair.spread == 1 &&
         bias_input(graph.node(pair.first)) && bias_input(graph.node(pair.second)) && !pads(graph.node(pair.second)) &&
         graph.node(pair.second).kind != OpKind::ConvTranspose;
}

}  // namespace

EqualizeReport equalize_layers(Graph& graph, bool open_clips) {
  EqualizeReport report;
  std::vector<LayerPair> pairs = layer_pairs(graph);
  if (open_clips) {
    for (const LayerPair& pair : pairs) report.opened_clips += open_clips_between(graph, pair);
  }
  std::erase_if(pairs, [&](const LayerPair& pair) { return has_clip(graph, pair); });
  report.pairs = static_cast<int>(pairs.size());
  double furthest = pairs.empty() ? 0 : 1;
  while (furthest > settled && report.rounds < most_rounds) {
    furthest = 0;
    for (const LayerPair& pair : pairs) furthest = std::max(furthest, equalize_pair(graph, pair, report));
    ++report.rounds;
  }
  return report;
}

void absorb_high_biases(Graph& graph, EqualizeReport& report) {
  constexpr double deviations = 3;
  for (const LayerPair& pair : layer_pairs(graph)) {
    const auto statistics = noted_statistics(graph.node(pair.first));
    if (!statistics || !can_absorb(graph, pair)) continue;
    const std::vector<double>& mean = statistics->mean;
    std::vector<double> moved(mean.size());
    std::int64_t channels = 0;
    for (std::size_t i = 0; i < mean.size(); ++i) {
      moved[i] = std::max(0.0, mean[i] - deviations * statistics->deviation[i]);
      channels += moved[i] > 0 ? 1 : 0;
    }
    if (channels == 0) continue;
    const Node& second = graph.node(pair.second);
    const auto weights = graph.constant(second.input(1))->data<float>();
    std::vector<double> gained(static_cast<std::size_t>(layout_of(graph, second).all_outputs()));
    visit_weights(layout_of(graph, second), [&](std::size_t output, std::size_t input, std::size_t at) {
      gained[output] += weights[at] * moved[input];
    });
    const auto lower = graph.value(graph.node(pair.first).input(2)).constant->mutable_data<float>();
    for (std::size_t i = 0; i < lower.size(); ++i) lower[i] = static_cast<float>(lower[i] - moved[i]);
    const auto higher = graph.value(second.input(2)).constant->mutable_data<float>();
    for (std::size_t i = 0; i < higher.size(); ++i) higher[i] = static_cast<float>(higher[i] + gained[i]);
    ChannelStatistics shifted = *statistics;
    for (std::size_t i = 0; i < moved.size(); ++i) shifted.mean[i] -= moved[i];
    set_noted_statistics(graph.node(pair.first), shifted);
    ++report.absorbed_layers;
    report.absorbed_channels += channels;
  }
}

}  // namespace adze::quantize
