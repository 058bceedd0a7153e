#include "adze/quantize/trials.h"

#include <algorithm>

#include "adze/engine/session.h"
#include "adze/graph/infer.h"
#include "adze/quantize/bits.h"
#include "adze/quantize/layers.h"
#include "adze/quantize/placement.h"
#include "adze/quantize/static.h"
#include "adze/quantize/weight_layout.h"

namespace adze::quantize {

namespace {

SessionOptions in_float() {
  SessionOptions options;
  options.threads = 0;
  options.integer = false;
  return options;
}

void add_sources(const Graph& graph, const Placement& placement, std::vector<ValueId>& values) {
  for (const ScaleGroup& group : placement.groups) {
    for (const ValueId source : group.sources) {
      if (graph.constant(source) == nullptr) values.push_back(source);
    }
  }
}

}  // namespace

Trials::Trials(const Graph& float_graph, const CalibrationData& data, const PtqOptions& options,
               std::int64_t num_batches, ProgressSink& progress)
    : graph_(prepared(float_graph)), options_(options) {
  const Placement all = place_quantizers(graph_, options);
  std::vector<ValueId> values;
  add_sources(graph_, all, values);
  for (const NodeId id : topological_order(graph_)) {
    if (!all.is_integer(id) || !weight_input(graph_, graph_.node(id))) continue;
    layers_.push_back(id);
    const NodeId only[] = {id};
    add_sources(graph_, place_quantizers(graph_, options, only), values);  // a lone layer has its own ends
  }
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  observations_ = observe(graph_, values, data, options.max_samples, progress);
  Session session(graph_, in_float());
  for (std::int64_t batch = 0; batch < data.num_batches && std::ssize(inputs_) < num_batches; ++batch) {
    std::vector<Tensor> given = data.batch(batch);
    if (given.empty()) continue;
    exact_.push_back(session.run(given));
    inputs_.push_back(std::move(given));
  }
}

std::int64_t Trials::weights_of(NodeId layer) const {
  const Node& node = graph_.node(layer);
  return graph_.constant(node.input(*weight_input(graph_, node)))->size();
}

std::int64_t Trials::macs_of(NodeId layer) const {
  const Node& node = graph_.node(layer);
  const Tensor& weight = *graph_.constant(node.input(*weight_input(graph_, node)));
  const auto layout = weight_layout(node, weight.shape());
  const auto& shape = graph_.value(node.output()).type.shape;
  if (!layout || !shape) return 0;
  std::int64_t outputs = 1;
  for (std::size_t i = 1; i < shape->size(); ++i) outputs *= (*shape)[i].is_known() ? (*shape)[i].value : 1;
  return outputs * layout->inputs();
}

double Trials::one_layer(NodeId layer, const BitWidths& bits) const {
  PtqOptions options = options_;
  options.layer_bits = {{graph_.node(layer).name, bits}};
  const NodeId only[] = {layer};
  Graph quantized = insert_quantizers(graph_, place_quantizers(graph_, options, only), observations_, options).graph;
  infer_types(quantized);
  return noise_of(quantized);
}

Graph Trials::quantized(const std::vector<LayerBits>& layer_bits) const {
  PtqOptions options = options_;
  set_layer_bits(options, layer_bits);
  return quantize_observed(graph_, observations_, options).graph;
}

double Trials::all(const std::vector<LayerBits>& layer_bits) const {
  return noise_of(quantized(layer_bits));
}

double Trials::noise_of(const Graph& quantized) const {
  Session session(quantized, in_float());
  double signal = 0, noise = 0;
  for (std::size_t batch = 0; batch < inputs_.size(); ++batch) {
    check_cancelled();
    const std::vector<Tensor> outputs = session.run(inputs_[batch]);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const Tensor& exact = exact_[batch][i];
      if (exact.dtype() != DType::F32 || outputs[i].dtype() != DType::F32) continue;
      const auto a = exact.data<float>(), b = outputs[i].data<float>();
      for (std::size_t k = 0; k < a.size() && k < b.size(); ++k) {
        const double error = static_cast<double>(a[k]) - b[k];
        signal += static_cast<double>(a[k]) * a[k];
        noise += error * error;
      }
    }
  }
  return signal > 0 ? noise / signal : noise;
}

}  // namespace adze::quantize
