#include "adze/quantize/quantized_layers.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "adze/quantize/layers.h"

namespace adze::quantize {

namespace {

/// A DequantizeLinear's scales or zero points, spread over all elements of the codes.
std::vector<float> spread(const Node& node, const Tensor& parameter, const Shape& shape) {
  const std::vector<float> values = to_floats(parameter);
  std::vector<float> result(static_cast<std::size_t>(num_elements(shape)));
  if (values.size() == 1) {
    std::fill(result.begin(), result.end(), values[0]);
    return result;
  }
  std::int64_t axis = node.get_int("axis");
  if (axis < 0) axis += std::ssize(shape);
  const std::int64_t length = shape[static_cast<std::size_t>(axis)];
  const std::int64_t block = node.get_int("block_size");
  const std::int64_t parts = block > 0 ? (length + block - 1) / block : length;
  std::int64_t inner = 1;
  for (auto i = static_cast<std::size_t>(axis) + 1; i < shape.size(); ++i) inner *= shape[i];
  for (std::int64_t i = 0; i < std::ssize(result); ++i) {
    const std::int64_t along = i / inner % length, part = block > 0 ? along / block : along;
    // Scales of blocks have the codes' shape with one axis shortened; else they have that axis alone.
    const std::int64_t at = block > 0 ? (i / inner / length * parts + part) * inner + i % inner : part;
    result[static_cast<std::size_t>(i)] = values[static_cast<std::size_t>(at)];
  }
  return result;
}

const Node* dequantizer_of(const Graph& graph, const Uses& uses, ValueId value) {
  const Node* node = graph.producer_of(value);
  if (node == nullptr || node->kind != OpKind::DequantizeLinear || !uses.single(value)) return nullptr;
  const bool is_constant = graph.constant(node->input(0)) != nullptr && graph.constant(node->input(1)) != nullptr &&
                           (node->input(2) == ValueId::None || graph.constant(node->input(2)) != nullptr);
  return is_constant && uses.single(node->input(0)) ? node : nullptr;
}

std::optional<QuantizedLayer> layer_at(const Graph& graph, const Uses& uses, NodeId id) {
  const Node& node = graph.node(id);
  if (role_of(node.kind) != Role::Layer) return std::nullopt;
  const Node* dequantize = dequantizer_of(graph, uses, node.input(1));
  if (dequantize == nullptr) return std::nullopt;
  QuantizedLayer layer;
  layer.node = id;
  layer.codes = dequantize->input(0);
  layer.shape = graph.constant(layer.codes)->shape();
  const auto layout = weight_layout(node, layer.shape);
  if (!layout || num_elements(layer.shape) == 0) return std::nullopt;
  layer.layout = *layout;
  layer.scales = spread(*dequantize, *graph.constant(dequantize->input(1)), layer.shape);
  if (dequantize->input(2) != ValueId::None) {
    layer.zero_points = spread(*dequantize, *graph.constant(dequantize->input(2)), layer.shape);
    const bool all_zero =
        std::all_of(layer.zero_points.begin(), layer.zero_points.end(), [](float z) { return z == 0; });
    if (all_zero) layer.zero_points.clear();
  }
  return layer;
}

}  // namespace

std::vector<QuantizedLayer> quantized_layers(const Graph& graph) {
  const Uses uses(graph);
  std::vector<QuantizedLayer> layers;
  for (const NodeId id : topological_order(graph)) {
    if (auto layer = layer_at(graph, uses, id)) layers.push_back(std::move(*layer));
  }
  return layers;
}

std::vector<NodeId> quantized_layer_nodes(const Graph& graph) {
  const Uses uses(graph);
  std::vector<NodeId> nodes;
  for (const NodeId id : topological_order(graph)) {
    if (layer_at(graph, uses, id)) nodes.push_back(id);
  }
  return nodes;
}

QuantizedLayer quantized_layer(const Graph& graph, NodeId node) {
  auto layer = layer_at(graph, Uses(graph), node);
  if (!layer) throw InternalError("not a quantized layer");
  return std::move(*layer);
}

std::vector<float> stored_codes(const Graph& graph, const QuantizedLayer& layer) {
  return to_floats(*graph.constant(layer.codes));
}

std::vector<float> restored_weights(const Graph& graph, const QuantizedLayer& layer) {
  std::vector<float> values = stored_codes(graph, layer);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = (values[i] - (layer.zero_points.empty() ? 0 : layer.zero_points[i])) * layer.scales[i];
  }
  return values;
}

void store_codes(Graph& graph, const QuantizedLayer& layer, const std::vector<float>& codes) {
  Tensor tensor(graph.constant(layer.codes)->dtype(), layer.shape);
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    tensor.set_int(i, static_cast<std::int64_t>(codes[static_cast<std::size_t>(i)]));
  }
  graph.value(layer.codes).constant = std::move(tensor);
}

NodeId find_node(const Graph& graph, std::string_view name) {
  for (const NodeId id : graph.node_ids()) {
    if (graph.node(id).name == name) return id;
  }
  return NodeId::None;
}

std::vector<double> bias_of(const Graph& graph, const Node& layer) {
  const auto input = bias_input(layer);
  if (!input) return {};
  const ValueId value = layer.input(*input);
  if (const Tensor* constant = graph.constant(value)) {
    const std::vector<float> values = to_floats(*constant);
    return {values.begin(), values.end()};
  }
  const Node* dequantize = graph.producer_of(value);
  if (dequantize == nullptr || dequantize->kind != OpKind::DequantizeLinear) return {};
  const Tensor* codes = graph.constant(dequantize->input(0));
  const Tensor* scales = graph.constant(dequantize->input(1));
  if (codes == nullptr || scales == nullptr) return {};
  const std::vector<float> steps = spread(*dequantize, *scales, codes->shape());
  std::vector<double> result(steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    result[i] = static_cast<double>(codes->get_int(static_cast<std::int64_t>(i))) * steps[i];
  }
  return result;
}

bool add_to_bias(Graph& graph, NodeId id, const std::vector<double>& change) {
  const Uses uses(graph);
  const auto input = bias_input(graph.node(id));
  if (!input) return false;
  const ValueId value = graph.node(id).input(*input);
  if (const Tensor* constant = graph.constant(value)) {
    if (constant->dtype() != DType::F32 || constant->size() != std::ssize(change) || !uses.single(value)) return false;
    Tensor tensor = *constant;
    const auto numbers = tensor.mutable_data<float>();
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(numbers[i] + change[i]);
    graph.value(value).constant = std::move(tensor);
    return true;
  }
  const Node* dequantize = dequantizer_of(graph, uses, value);
  if (dequantize == nullptr) return false;
  const ValueId codes = dequantize->input(0);
  Tensor tensor = *graph.constant(codes);
  if (tensor.dtype() != DType::S32 || tensor.size() != std::ssize(change)) return false;
  const std::vector<float> steps = spread(*dequantize, *graph.constant(dequantize->input(1)), tensor.shape());
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    const double code = static_cast<double>(tensor.get_int(i)) + std::nearbyint(change[at] / steps[at]);
    constexpr double largest = 1 << 30;  // as quantize_weight_for_bias leaves room for
    tensor.set_int(i, static_cast<std::int64_t>(std::clamp(code, -largest, largest)));
  }
  graph.value(codes).constant = std::move(tensor);
  return true;
}

}  // namespace adze::quantize
