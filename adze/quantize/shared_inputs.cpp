#include "adze/quantize/shared_inputs.h"

#include <algorithm>
#include <optional>

#include "adze/base/text.h"
#include "adze/quantize/layers.h"
#include "adze/quantize/weight_layout.h"

namespace adze::quantize {

namespace {

const Tensor* channel_constant(const Graph& graph, ValueId id, std::int64_t channels) {
  const Tensor* tensor = graph.constant(id);
  if (tensor == nullptr || tensor->dtype() != DType::F32 || tensor->size() != channels) return nullptr;
  return tensor->rank() > 0 && tensor->dim(tensor->rank() - 1) == channels ? tensor : nullptr;
}

bool is_product(const Graph& graph, const Node& node, ValueId data) {
  if (node.kind != OpKind::MatMul && node.kind != OpKind::Gemm) return false;
  const Tensor* weight = graph.constant(node.input(1));
  return node.input(0) == data && weight != nullptr && weight->dtype() == DType::F32 && weight->rank() == 2 &&
         (node.kind == OpKind::MatMul || node.get_int("transA") == 0);
}

/// The MatMul before an Add with constants, when nothing else reads it.
std::optional<NodeId> product_before(const Graph& graph, const Uses& uses, const Node& add) {
  const ValueId value = graph.constant(add.input(1)) != nullptr ? add.input(0) : add.input(1);
  const Node* product = graph.producer_of(value);
  if (product == nullptr || !uses.single(value) || product->kind != OpKind::MatMul) return std::nullopt;
  if (!is_product(graph, *product, product->input(0))) return std::nullopt;
  return graph.value(value).producer;
}

bool can_give(const Graph& graph, const Uses& uses, const Node& node, std::int64_t channels) {
  switch (node.kind) {
    case OpKind::LayerNormalization: {
      const std::int64_t axis = node.get_int("axis");
      const auto& shape = graph.value(node.output()).type.shape;
      if (!shape || (axis != -1 && axis != std::ssize(*shape) - 1) || node.outputs.size() != 1) return false;
      return channel_constant(graph, node.input(1), channels) != nullptr &&
             (node.input(2) == ValueId::None || channel_constant(graph, node.input(2), channels) != nullptr);
    }
    case OpKind::Mul:
      return channel_constant(graph, node.input(0), channels) != nullptr ||
             channel_constant(graph, node.input(1), channels) != nullptr;
    case OpKind::Add:
      return (channel_constant(graph, node.input(0), channels) != nullptr ||
              channel_constant(graph, node.input(1), channels) != nullptr) &&
             product_before(graph, uses, node).has_value();
    default:
      return false;
  }
}

void divide_constant(Graph& graph, NodeId id, std::size_t input, const std::vector<double>& factors) {
  const ValueId old = graph.node(id).input(input);
  Tensor tensor = *graph.constant(old);
  const auto values = tensor.mutable_data<float>();
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(values[i] / factors[i]);
  const ValueId fresh = graph.add_constant(graph.unique_name(graph.value(old).name), std::move(tensor));
  graph.node(id).inputs[input] = fresh;
}

void divide_outputs(Graph& graph, NodeId product, const std::vector<double>& factors) {
  const ValueId old = graph.node(product).input(1);
  Tensor tensor = *graph.constant(old);
  const std::int64_t columns = tensor.dim(1);
  const auto values = tensor.mutable_data<float>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(values[i] / factors[i % static_cast<std::size_t>(columns)]);
  }
  const ValueId fresh = graph.add_constant(graph.unique_name(graph.value(old).name), std::move(tensor));
  graph.node(product).inputs[1] = fresh;
}

void divide_at_giver(Graph& graph, NodeId giver, const std::vector<double>& factors) {
  const auto channels = std::ssize(factors);
  if (graph.node(giver).kind == OpKind::LayerNormalization) {
    divide_constant(graph, giver, 1, factors);
    if (graph.node(giver).input(2) != ValueId::None) divide_constant(graph, giver, 2, factors);
    return;
  }
  if (graph.node(giver).kind == OpKind::Add) {
    divide_outputs(graph, *product_before(graph, Uses(graph), graph.node(giver)), factors);
  }
  const std::size_t input = channel_constant(graph, graph.node(giver).input(1), channels) != nullptr ? 1 : 0;
  divide_constant(graph, giver, input, factors);
}

}  // namespace

std::vector<SharedInput> shared_inputs(const Graph& graph) {
  const Uses uses(graph);
  std::vector<SharedInput> result;
  for (const NodeId id : topological_order(graph)) {
    const Node& node = graph.node(id);
    const ValueId value = node.output();
    if (value == ValueId::None || uses.is_output(value) || uses.of(value).empty()) continue;
    SharedInput input{value, {}, id, 0};
    for (const NodeId reader : uses.of(value)) {
      if (is_product(graph, graph.node(reader), value)) input.layers.push_back(reader);
    }
    if (input.layers.empty() || input.layers.size() != uses.of(value).size()) continue;
    const Node& first = graph.node(input.layers[0]);
    input.channels = weight_layout(first, graph.constant(first.input(1))->shape())->channels;
    if (can_give(graph, uses, node, input.channels)) result.push_back(std::move(input));
  }
  return result;
}

Tensor with_scaled_inputs(const Graph& graph, NodeId layer, const std::vector<double>& factors) {
  const Node& node = graph.node(layer);
  Tensor tensor = *graph.constant(node.input(1));
  const WeightLayout layout = *weight_layout(node, tensor.shape());
  const auto values = tensor.mutable_data<float>();
  for (std::int64_t input = 0; input < layout.inputs(); ++input) {
    for (std::int64_t output = 0; output < layout.outputs; ++output) {
      float& value = values[layout.index(0, output, input)];
      value = static_cast<float>(value * factors[static_cast<std::size_t>(input)]);
    }
  }
  return tensor;
}

void move_factors(Graph& graph, const SharedInput& input, const std::vector<double>& factors) {
  divide_at_giver(graph, input.giver, factors);
  for (const NodeId layer : input.layers) {
    Tensor weights = with_scaled_inputs(graph, layer, factors);
    const std::string name = graph.unique_name(graph.value(graph.node(layer).input(1)).name);
    const ValueId fresh = graph.add_constant(name, std::move(weights));
    graph.node(layer).inputs[1] = fresh;
  }
}

}  // namespace adze::quantize
