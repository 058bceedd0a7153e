#include "adze/recipe/figures.h"

#include <map>

#include "adze/base/text.h"
#include "adze/plan/cost.h"
#include "adze/plan/plan.h"
#include "adze/plan/stored_weights.h"
#include "adze/recipe/model_files.h"

namespace adze {

namespace {

/// dtype and shape of the largest constant that the node reads, or of what is stored for it.
std::string weight_type(const Graph& graph, const ComputedConstants& computed, const Node& node) {
  const Tensor* largest = nullptr;
  for (const ValueId input : values_read(node)) {
    if (input == ValueId::None) continue;
    const ConstantInput stored = computed.has(input) ? computed.elements_of(input) : ConstantInput{};
    const bool is_stored = stored.node != NodeId::None;
    const Tensor* constant = graph.constant(is_stored ? graph.node(stored.node).inputs[stored.input] : input);
    if (constant != nullptr && (largest == nullptr || constant->size() > largest->size())) largest = constant;
  }
  return largest != nullptr ? type_text(*largest) : "";
}

bool moves_quantized_values(OpKind kind) {
  return kind == OpKind::QuantizeLinear || kind == OpKind::DequantizeLinear;
}

}  // namespace

ModelFigures model_figures(const Graph& graph, std::string name, const std::filesystem::path& file) {
  ModelFigures figures;
  figures.name = std::move(name);
  if (!file.empty()) {
    FileIdentity identity = identify_model(file);
    figures.path = file.string();
    figures.file_bytes = identity.bytes;
    figures.sha256 = std::move(identity.sha256);
  }
  const Graph concrete = with_unknown_dims(graph, 1);
  const GraphCost cost = compute_cost(concrete);
  figures.parameters = cost.parameters;
  figures.macs = cost.macs;
  figures.weight_bytes = cost.weight_bytes;
  const Plan plan = plan_inference(graph);
  figures.peak_activation_bytes = plan.peak_activation_bytes;
  figures.arena_bytes = plan.arena_bytes;
  return figures;
}

std::vector<LayerFigures> layer_figures(const Graph& graph) {
  const Graph concrete = with_unknown_dims(graph, 1);
  const GraphCost cost = compute_cost(concrete);
  const Uses uses(concrete);
  std::map<NodeId, NodeCost> own_costs;
  for (const NodeCost& node_cost : cost.nodes) {
    NodeId layer = node_cost.node;
    while (moves_quantized_values(concrete.node(layer).kind) && !uses.of(concrete.node(layer).output()).empty()) {
      layer = uses.of(concrete.node(layer).output())[0];
    }
    NodeCost& sum = own_costs[layer];
    sum.macs += node_cost.macs;
    sum.parameters += node_cost.parameters;
    sum.weight_bytes += node_cost.weight_bytes;
  }
  std::vector<LayerFigures> layers;
  const ComputedConstants computed(concrete, topological_order(concrete));
  for (const NodeId id : topological_order(concrete)) {
    const Node& node = concrete.node(id);
    const bool folds = node.output() != ValueId::None && computed.has(node.output());
    if (folds || moves_quantized_values(node.kind)) continue;
    const NodeCost& own = own_costs[id];
    LayerFigures layer;
    layer.name = node.name;
    layer.op = op_name(node.kind);
    layer.output = node.output() != ValueId::None ? type_text(concrete.value(node.output()).type) : "";
    layer.weight_type = weight_type(concrete, computed, node);
    layer.macs = own.macs;
    layer.parameters = own.parameters;
    layer.weight_bytes = own.weight_bytes;
    layers.push_back(std::move(layer));
  }
  return layers;
}

AccuracyFigure accuracy_figure(const EvaluateResult& result) {
  return {"top-1", result.top1, result.interval.low, result.interval.high, result.correct, result.samples};
}

LatencyFigure latency_figure(const LatencyResult& result) {
  return {result.p50_us, result.p90_us, result.p99_us, result.min_us, result.runs, result.threads, result.isa};
}

std::string speedup_text(const PairedLatency& paired) {
  return cat(fixed(paired.speedup, 2), " times as fast (95 % interval ", fixed(paired.speedup_low, 2), " to ",
             fixed(paired.speedup_high, 2), ")");
}

}  // namespace adze
