#include "adze/quantize/channel_statistics.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

#include "adze/base/text.h"
#include "adze/engine/session.h"
#include "adze/quantize/layers.h"

namespace adze::quantize {

namespace {

constexpr const char* mean_key = "adze.output_mean";
constexpr const char* deviation_key = "adze.output_deviation";

std::string numbers_text(const std::vector<double>& numbers) {
  std::vector<std::string> texts;
  for (const double number : numbers) texts.push_back(cat(number));
  return join(texts, " ");
}

std::vector<double> numbers_from(const std::string& text) {
  std::vector<double> numbers;
  const char* at = text.c_str();
  for (char* end = nullptr;; at = end) {
    const double number = std::strtod(at, &end);
    if (end == at) return numbers;
    numbers.push_back(number);
  }
}

/// Sums of one value's channels.
struct Sums {
  std::vector<double> sum, squares;
  std::int64_t count = 0;

  void add(const Tensor& tensor, std::int64_t axis) {
    const auto channels = static_cast<std::size_t>(tensor.dim(axis));
    sum.resize(channels);
    squares.resize(channels);
    std::size_t inner = 1;
    for (std::int64_t i = axis + 1; i < tensor.rank(); ++i) inner *= static_cast<std::size_t>(tensor.dim(i));
    const auto values = tensor.data<float>();
    for (std::size_t at = 0; at < values.size(); ++at) {
      const std::size_t channel = at / inner % channels;
      sum[channel] += values[at];
      squares[channel] += static_cast<double>(values[at]) * values[at];
    }
    if (channels > 0) count += static_cast<std::int64_t>(values.size() / channels);
  }
  ChannelStatistics statistics() const {
    ChannelStatistics result;
    for (std::size_t i = 0; i < sum.size(); ++i) {
      const double mean = sum[i] / static_cast<double>(count);
      result.mean.push_back(mean);
      result.deviation.push_back(std::sqrt(std::max(0.0, squares[i] / static_cast<double>(count) - mean * mean)));
    }
    return result;
  }
};

}  // namespace

void note_batch_norms(Graph& graph) {
  const Uses uses(graph);
  for (const NodeId id : graph.node_ids()) {
    const Node& norm = graph.node(id);
    if (norm.kind != OpKind::BatchNormalization || !uses.single(norm.input(0))) continue;
    const Tensor* scale = graph.constant(norm.input(1));
    const Tensor* shift = graph.constant(norm.input(2));
    const NodeId producer = graph.value(norm.input(0)).producer;
    if (scale == nullptr || shift == nullptr || producer == NodeId::None) continue;
    if (role_of(graph.node(producer).kind) != Role::Layer) continue;
    ChannelStatistics statistics;
    for (const float gamma : to_floats(*scale)) statistics.deviation.push_back(std::abs(gamma));
    for (const float beta : to_floats(*shift)) statistics.mean.push_back(beta);
    set_noted_statistics(graph.node(producer), statistics);
  }
}

std::optional<ChannelStatistics> noted_statistics(const Node& node) {
  const auto mean = node.metadata.find(mean_key), deviation = node.metadata.find(deviation_key);
  if (mean == node.metadata.end() || deviation == node.metadata.end()) return std::nullopt;
  ChannelStatistics statistics{numbers_from(mean->second), numbers_from(deviation->second)};
  if (statistics.mean.size() != statistics.deviation.size() || statistics.mean.empty()) return std::nullopt;
  return statistics;
}

void set_noted_statistics(Node& node, const ChannelStatistics& statistics) {
  node.metadata[mean_key] = numbers_text(statistics.mean);
  node.metadata[deviation_key] = numbers_text(statistics.deviation);
}

void erase_noted_statistics(Graph& graph) {
  for (const NodeId id : graph.node_ids()) {
    graph.node(id).metadata.erase(mean_key);
    graph.node(id).metadata.erase(deviation_key);
  }
}

std::int64_t output_channel_axis(const Node& layer, std::int64_t rank) {
  return layer.kind == OpKind::Conv || layer.kind == OpKind::ConvTranspose ? 1 : rank - 1;
}

std::unordered_map<NodeId, ChannelStatistics> measure_outputs(const Graph& graph, std::span<const NodeId> layers,
                                                              const CalibrationData& data, std::int64_t max_samples,
                                                              ProgressSink& progress) {
  std::map<std::string, NodeId, std::less<>> wanted;
  for (const NodeId layer : layers) wanted.emplace(graph.value(graph.node(layer).output()).name, layer);
  std::unordered_map<NodeId, Sums> sums;
  Session session(graph, float_session_options());
  session.observe([&](std::string_view name, const Tensor& tensor) {
    const auto found = wanted.find(name);
    if (found == wanted.end() || tensor.dtype() != DType::F32 || tensor.rank() < 2) return;
    sums[found->second].add(tensor, output_channel_axis(graph.node(found->second), tensor.rank()));
  });
  run_samples(session, data, max_samples, "channel statistics", progress);
  std::unordered_map<NodeId, ChannelStatistics> result;
  for (const auto& [layer, sum] : sums) result.emplace(layer, sum.statistics());
  return result;
}

}  // namespace adze::quantize
