#include "adze/quantize/float8.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "adze/base/text.h"
#include "adze/quantize/insert.h"
#include "adze/quantize/layers.h"
#include "adze/quantize/weights.h"

namespace adze::quantize {

namespace {

constexpr float largest_code = 448;  // of f8e4m3

bool applies(const Graph& graph, const Node& node, const PtqOptions& options) {
  if (role_of(node.kind) != Role::Layer || is_skipped(node, options.skip)) return false;
  const auto input = weight_input(graph, node);
  if (!input || *input != 1) return false;
  const Tensor* weight = graph.constant(node.input(1));
  return weight != nullptr && weight->dtype() == DType::F32 && graph.constant(node.input(0)) == nullptr;
}

float scale_of(double largest) {
  return largest > 0 ? static_cast<float>(largest / largest_code) : 1.0F;
}

class Float8Inserter {
 public:
  Float8Inserter(Graph graph, const Observations& observations, const PtqOptions& options)
      : outcome_{std::move(graph), {}}, observations_(observations), options_(options), inserter_(outcome_.graph) {}

  QuantizeOutcome insert() {
    for (const NodeId id : outcome_.graph.node_ids()) {
      if (!applies(outcome_.graph, outcome_.graph.node(id), options_)) continue;
      const ValueId weight = stored_weight(id), input = quantized_input(outcome_.graph.node(id).input(0));
      outcome_.graph.node(id).inputs[0] = input;
      outcome_.graph.node(id).inputs[1] = weight;
    }
    return std::move(outcome_);
  }

 private:
  ValueId stored_weight(NodeId id) {
    Graph& graph = outcome_.graph;
    const Node& node = graph.node(id);
    const ValueId weight = node.input(1);
    const Tensor exact = *graph.constant(weight);
    const auto axis = options_.weights == Granularity::PerChannel ? channel_axis(node, exact.rank()) : std::nullopt;
    TensorScales scales{{}, axis};
    std::vector<float> maxima = absolute_maxima(exact, axis);
    raise_to_largest_of_group(maxima, options_.channel_group);
    for (const float largest : maxima) scales.scales.push_back({scale_of(largest), 0});
    std::int64_t inner = 1;
    for (std::int64_t i = axis.value_or(-1) + 1; axis && i < exact.rank(); ++i) inner *= exact.dim(i);
    Tensor codes(DType::F8E4M3, exact.shape());
    const auto values = exact.data<float>();
    std::vector<float> restored(values.size());
    for (std::int64_t i = 0; i < exact.size(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      const float scale = scales.scales[static_cast<std::size_t>(axis ? i / inner % exact.dim(*axis) : 0)].scale;
      codes.set_double(i, values[at] / scale);
      restored[at] = scale * static_cast<float>(codes.get_double(i));
    }
    WeightReport report;
    report.value = graph.value(weight).name;
    report.node = node.name;
    report.shape = exact.shape();
    report.num_scales = (std::ssize(scales.scales) - 1) / options_.channel_group + 1;
    report.sqnr_db = sqnr_db(values, restored);
    outcome_.report.weights.push_back(std::move(report));
    return inserter_.dequantized_constant(graph.value(weight).name, std::move(codes), scales);
  }

  ValueId quantized_input(ValueId value) {
    if (const auto found = inputs_.find(value); found != inputs_.end()) return found->second;
    const auto seen = observations_.histograms.find(value);
    ActivationReport report;
    report.value = outcome_.graph.value(value).name;
    if (seen != observations_.histograms.end()) {
      report.min = seen->second.min();
      report.max = seen->second.max();
    }
    const AffineScale affine{scale_of(std::max(std::abs(report.min), std::abs(report.max))), 0};
    report.affine = affine;
    report.low = -largest_code * affine.scale;
    report.high = largest_code * affine.scale;
    outcome_.report.activations.push_back(std::move(report));
    const ValueId restored = inserter_.quantize_dequantize(value, affine, DType::F8E4M3).dequantized;
    inputs_.emplace(value, restored);
    return restored;
  }

  QuantizeOutcome outcome_;
  const Observations& observations_;
  const PtqOptions& options_;
  Inserter inserter_;
  std::unordered_map<ValueId, ValueId> inputs_;
};

}  // namespace

std::vector<ValueId> float8_inputs(const Graph& graph, const PtqOptions& options) {
  std::vector<ValueId> values;
  for (const NodeId id : graph.node_ids()) {
    if (applies(graph, graph.node(id), options)) values.push_back(graph.node(id).input(0));
  }
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

QuantizeOutcome quantize_float8(Graph graph, const Observations& observations, const PtqOptions& options) {
  return Float8Inserter(std::move(graph), observations, options).insert();
}

}  // namespace adze::quantize
