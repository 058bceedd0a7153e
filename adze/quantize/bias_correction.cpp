#include "adze/quantize/bias_correction.h"

#include "adze/base/text.h"
#include "adze/quantize/channel_statistics.h"
#include "adze/quantize/layer_rows.h"
#include "adze/quantize/layers.h"
#include "adze/quantize/quantized_layers.h"

namespace adze::quantize {

void add_missing_biases(Graph& graph) {
  for (const NodeId id : graph.node_ids()) {
    const Node& node = graph.node(id);
    const bool takes_bias =
        node.kind == OpKind::Conv || node.kind == OpKind::ConvTranspose || node.kind == OpKind::Gemm;
    const Tensor* weight = graph.constant(node.input(1));
    if (!takes_bias || weight == nullptr || weight->dtype() != DType::F32 || node.input(2) != ValueId::None) continue;
    const auto layout = weight_layout(node, weight->shape());
    if (!layout) continue;
    const std::string name = graph.unique_name(cat(node.name, "_bias"));
    const ValueId bias = graph.add_constant(name, Tensor(DType::F32, {layout->all_outputs()}));
    graph.node(id).inputs.resize(2);
    graph.node(id).inputs.push_back(bias);
  }
}

BiasCorrectionReport correct_biases(const Graph& exact, Graph& quantized, const CalibrationData& data,
                                    std::int64_t max_samples, ProgressSink& progress) {
  const std::vector<QuantizedLayer> layers = quantized_layers(quantized);
  std::vector<NodeId> exact_layers;
  for (const QuantizedLayer& layer : layers) {
    const NodeId same = find_node(exact, quantized.node(layer.node).name);
    if (same != NodeId::None) exact_layers.push_back(same);
  }
  const auto wanted = measure_outputs(exact, exact_layers, data, max_samples, progress);
  BiasCorrectionReport report;
  ProgressPhase phase(progress, "bias correction", std::ssize(layers), "layers");
  for (const QuantizedLayer& layer : layers) {
    const std::string name = quantized.node(layer.node).name;
    phase.advance(1, name);
    const auto target = wanted.find(find_node(exact, name));
    if (target == wanted.end() || bias_of(quantized, quantized.node(layer.node)).empty()) {
      report.left.push_back(name);
      continue;
    }
    const Graph part = part_up_to(quantized, quantized.node(layer.node).output());
    const NodeId in_part = find_node(part, name);
    const NodeId only[] = {in_part};
    const auto found = measure_outputs(part, only, data, max_samples, silent_progress());
    std::vector<double> change = target->second.mean;
    for (std::size_t i = 0; i < change.size(); ++i) change[i] -= found.at(in_part).mean[i];
    (add_to_bias(quantized, layer.node, change) ? report.corrected : report.left).push_back(name);
  }
  return report;
}

}  // namespace adze::quantize
