#include "adze/quantize/sensitivity.h"

#include <algorithm>
#include <cmath>

#include "adze/base/text.h"
#include "adze/engine/session.h"
#include "adze/graph/infer.h"
#include "adze/quantize/layers.h"
#include "adze/quantize/placement.h"
#include "adze/quantize/static.h"

namespace adze::quantize {

namespace {

/// Energies of signal and noise over all outputs and batches.
struct Noise {
  double signal = 0;
  double noise = 0;

  void add(const Tensor& exact, const Tensor& approximate) {
    if (exact.dtype() != DType::F32 || approximate.dtype() != DType::F32) return;
    const auto a = exact.data<float>();
    const auto b = approximate.data<float>();
    for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
      const double error = static_cast<double>(a[i]) - b[i];
      signal += static_cast<double>(a[i]) * a[i];
      noise += error * error;
    }
  }
  double ratio_db() const {
    constexpr double best = 200;
    if (noise == 0) return best;
    return signal == 0 ? 0 : std::min(best, 10 * std::log10(signal / noise));
  }
};

std::vector<NodeId> quantized_layers(const Graph& graph, const PtqOptions& options) {
  const Placement all = place_quantizers(graph, options);
  std::vector<NodeId> layers;
  for (const NodeId id : graph.node_ids()) {
    if (all.is_integer(id) && role_of(graph.node(id).kind) == Role::Layer) layers.push_back(id);
  }
  return layers;
}

/// The graph with this one layer quantized.
Graph with_one_layer(const Graph& graph, NodeId layer, const Observations& observations, const PtqOptions& options) {
  const NodeId only[] = {layer};
  Graph result = insert_quantizers(graph, place_quantizers(graph, options, only), observations, options).graph;
  infer_types(result);
  return result;
}

/// Everything that quantizing any one layer needs: a lone layer has its own ends, which the whole network may not have.
std::vector<ValueId> values_of_layers(const Graph& graph, std::span<const NodeId> layers, const PtqOptions& options) {
  std::vector<ValueId> values;
  for (const NodeId layer : layers) {
    const NodeId only[] = {layer};
    for (const ScaleGroup& group : place_quantizers(graph, options, only).groups) {
      for (const ValueId source : group.sources) {
        if (graph.constant(source) == nullptr) values.push_back(source);
      }
    }
  }
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

LayerSensitivity describe(const Graph& graph, NodeId layer) {
  const Node& node = graph.node(layer);
  LayerSensitivity sensitivity;
  sensitivity.node = node.name;
  sensitivity.kind = node.kind;
  if (const auto weight = weight_input(graph, node)) {
    sensitivity.parameters = graph.constant(node.inputs[*weight])->size();
  }
  return sensitivity;
}

}  // namespace

std::vector<LayerSensitivity> sensitivities(const Graph& float_graph, const CalibrationData& data,
                                            const PtqOptions& options, std::int64_t num_batches,
                                            ProgressSink& progress) {
  const Graph graph = prepared(float_graph);
  const std::vector<NodeId> layers = quantized_layers(graph, options);
  CalibrationData part = data;
  part.num_batches = std::min(data.num_batches, num_batches);
  const Observations observations =
      observe(graph, values_of_layers(graph, layers, options), part, options.max_samples, progress);
  Session float_session(graph, float_session_options());
  std::vector<std::vector<Tensor>> exact;
  std::vector<std::vector<Tensor>> batches;
  for (std::int64_t batch = 0; batch < part.num_batches; ++batch) {
    std::vector<Tensor> inputs = part.batch(batch);
    if (inputs.empty()) continue;
    exact.push_back(float_session.run(inputs));
    batches.push_back(std::move(inputs));
  }
  ProgressPhase phase(progress, "sensitivity", static_cast<std::int64_t>(layers.size()), "layers");
  std::vector<LayerSensitivity> result;
  for (const NodeId layer : layers) {
    check_cancelled();
    Session session(with_one_layer(graph, layer, observations, options), float_session_options());
    Noise noise;
    for (std::size_t batch = 0; batch < batches.size(); ++batch) {
      const std::vector<Tensor> outputs = session.run(batches[batch]);
      for (std::size_t i = 0; i < outputs.size(); ++i) noise.add(exact[batch][i], outputs[i]);
    }
    result.push_back(describe(graph, layer));
    result.back().sqnr_db = noise.ratio_db();
    phase.advance(1, cat(result.back().node, " ", fixed(result.back().sqnr_db, 1), " dB"));
  }
  std::stable_sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a.sqnr_db < b.sqnr_db; });
  return result;
}

}  // namespace adze::quantize
