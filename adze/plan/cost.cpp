#include "adze/plan/cost.h"

#include <algorithm>
#include <optional>

#include "adze/base/checked.h"
#include "adze/plan/stored_weights.h"

namespace adze {

namespace {

using Macs = std::optional<std::int64_t>;

std::optional<Shape> shape_of(const Graph& graph, ValueId id) {
  if (id == ValueId::None) return std::nullopt;
  const ValueType& type = graph.value(id).type;
  if (!type.is_tensor() || !type.shape) return std::nullopt;
  return concrete(*type.shape);
}

/// Output elements, each the sum over a filter: weights [out, in / group, kernel…].
Macs conv_macs(const Graph& graph, const Node& node, std::size_t weights_input) {
  const auto weights = shape_of(graph, node.input(weights_input));
  const auto output = shape_of(graph, node.output());
  if (!weights || !output || weights->empty()) return std::nullopt;
  const Shape filter(weights->begin() + 1, weights->end());
  return checked_mul(num_elements(*output), num_elements(filter), "MAC count");
}

/// Input elements, each spread over a filter: weights [in, out / group, kernel…].
Macs conv_transpose_macs(const Graph& graph, const Node& node) {
  const auto weights = shape_of(graph, node.input(1));
  const auto input = shape_of(graph, node.input(0));
  if (!weights || !input || weights->empty()) return std::nullopt;
  const Shape filter(weights->begin() + 1, weights->end());
  return checked_mul(num_elements(*input), num_elements(filter), "MAC count");
}

Macs gemm_macs(const Graph& graph, const Node& node) {
  const auto a = shape_of(graph, node.input(0));
  const auto output = shape_of(graph, node.output());
  if (!a || !output || a->size() != 2) return std::nullopt;
  const std::int64_t depth = (*a)[node.get_int("transA", 0) != 0 ? 0 : 1];
  return checked_mul(num_elements(*output), depth, "MAC count");
}

Macs matmul_macs(const Graph& graph, const Node& node) {
  const auto a = shape_of(graph, node.input(0));
  const auto output = shape_of(graph, node.output());
  if (!a || !output || a->empty()) return std::nullopt;
  return checked_mul(num_elements(*output), a->back(), "MAC count");
}

/// Each time step: every gate multiplies the input [input] and the state [hidden].
/// W [directions, gates × hidden, input], R [directions, gates × hidden, hidden], X [steps, batch, input].
Macs recurrent_macs(const Graph& graph, const Node& node) {
  const auto x = shape_of(graph, node.input(0));
  const auto w = shape_of(graph, node.input(1));
  const auto r = shape_of(graph, node.input(2));
  if (!x || !w || !r || x->size() != 3) return std::nullopt;
  const std::int64_t rows = checked_mul((*x)[0], (*x)[1], "MAC count");
  return checked_mul(rows, checked_add(num_elements(*w), num_elements(*r), "MAC count"), "MAC count");
}

/// Nothing: the shapes are not known.
Macs node_macs(const Graph& graph, const Node& node) {
  switch (node.kind) {
    case OpKind::Conv:
    case OpKind::QConv:
    case OpKind::ConvInteger:
      return conv_macs(graph, node, 1);
    case OpKind::QLinearConv:
      return conv_macs(graph, node, 3);
    case OpKind::ConvTranspose:
      return conv_transpose_macs(graph, node);
    case OpKind::Gemm:
      return gemm_macs(graph, node);
    case OpKind::MatMul:
    case OpKind::QGemm:
    case OpKind::QMatMul:
    case OpKind::MatMulInteger:
    case OpKind::QLinearMatMul:
      return matmul_macs(graph, node);
    case OpKind::RNN:
    case OpKind::GRU:
    case OpKind::LSTM:
      return recurrent_macs(graph, node);
    default:
      return 0;
  }
}

/// Is the constant at this input something learned, rather than a scale, zero point, shape, axis or bound?
bool is_parameter(const Node& node, std::size_t input, DType dtype, std::int64_t size) {
  switch (node.kind) {
    case OpKind::QuantizeLinear:
    case OpKind::DequantizeLinear:
      return input == 0;
    case OpKind::Clip:
    case OpKind::Resize:
    case OpKind::Upsample:
    case OpKind::Pad:
      return input == 0;
    case OpKind::QLinearConv:
      return input == 3 || input == 8;
    case OpKind::QLinearMatMul:
      return input == 0 || input == 3;
    case OpKind::ConvInteger:
    case OpKind::MatMulInteger:
      return input < 2;
    case OpKind::QConv:
    case OpKind::QGemm:
      return input > 0;
    case OpKind::Gather:
      return input == 0;
    case OpKind::Cast:  // weights stored in halves, as indices into a table
      return is_float(dtype) || dtype_bits(dtype) <= 8;
    case OpKind::BatchNormalization:
      return input < 3;  // running means and variances are observed, not learned
    default:
      break;
  }
  if (op_info(node.kind).op_class == OpClass::Elementwise && size <= 1) return false;
  return is_float(dtype);
}

/// The constant that an input of a node is, or that holds what it is computed from; nothing where there is no weight.
struct StoredWeight {
  ValueId constant = ValueId::None;
  std::int64_t elements = 0;  ///< as the node reads them
};

std::optional<StoredWeight> stored_weight(const Graph& graph, const ComputedConstants& computed, const Node& node,
                                          std::size_t input) {
  const auto is_learned = [&](const Node& reader, std::size_t i, const Tensor& tensor) {
    return tensor.dtype() != DType::String && is_parameter(reader, i, tensor.dtype(), tensor.size());
  };
  const ValueId id = node.inputs[input];
  if (id == ValueId::None) return std::nullopt;
  if (const Tensor* tensor = graph.constant(id)) {
    if (!is_learned(node, input, *tensor)) return std::nullopt;
    return StoredWeight{id, tensor->size()};
  }
  if (!computed.has(id)) return std::nullopt;
  const ConstantInput from = computed.elements_of(id);
  if (from.node == NodeId::None) return std::nullopt;
  const Node& reader = graph.node(from.node);
  const Tensor& tensor = *graph.constant(reader.inputs[from.input]);
  const auto shape = shape_of(graph, id);
  const std::int64_t elements = shape ? num_elements(*shape) : tensor.size();
  const bool counts =
      is_learned(reader, from.input, tensor) && is_parameter(node, input, graph.value(id).type.dtype, elements);
  return counts ? std::optional(StoredWeight{reader.inputs[from.input], elements}) : std::nullopt;
}

/// By node: does an output of the graph need it?
std::vector<bool> needed_nodes(const Graph& graph, const std::vector<NodeId>& order) {
  std::vector<bool> read(static_cast<std::size_t>(graph.num_values()), false);
  std::vector<bool> needed(static_cast<std::size_t>(graph.num_nodes()), false);
  for (const ValueId id : graph.outputs()) read[static_cast<std::size_t>(id)] = true;
  for (auto id = order.rbegin(); id != order.rend(); ++id) {
    const Node& node = graph.node(*id);
    const bool is_read = std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId output) {
      return output != ValueId::None && read[static_cast<std::size_t>(output)];
    });
    if (!is_read) continue;
    needed[static_cast<std::size_t>(*id)] = true;
    for (const ValueId input : values_read(node)) read[static_cast<std::size_t>(input)] = true;
  }
  return needed;
}

}  // namespace

GraphCost compute_cost(const Graph& graph) {
  GraphCost total;
  std::vector<bool> counted(static_cast<std::size_t>(graph.num_values()), false);
  const std::vector<NodeId> order = topological_order(graph);
  const std::vector<bool> needed = needed_nodes(graph, order);
  const ComputedConstants computed(graph, order);
  for (const NodeId id : order) {
    if (!needed[static_cast<std::size_t>(id)]) continue;
    const Node& node = graph.node(id);
    NodeCost cost{id, 0, 0, 0};
    const Macs macs = node_macs(graph, node);
    if (!macs) ++total.nodes_with_unknown_macs;
    cost.macs = macs.value_or(0);
    const bool is_computed = node.output() != ValueId::None && computed.has(node.output());
    for (std::size_t i = 0; i < node.inputs.size() && !is_computed; ++i) {
      const auto weight = stored_weight(graph, computed, node, i);
      if (!weight || counted[static_cast<std::size_t>(weight->constant)]) continue;
      counted[static_cast<std::size_t>(weight->constant)] = true;
      cost.parameters = checked_add(cost.parameters, weight->elements, "parameter count");
      const std::int64_t bytes = graph.constant(weight->constant)->num_bytes();
      cost.weight_bytes = checked_add(cost.weight_bytes, bytes, "weight size");
    }
    total.macs = checked_add(total.macs, cost.macs, "MAC count");
    total.parameters = checked_add(total.parameters, cost.parameters, "parameter count");
    total.weight_bytes = checked_add(total.weight_bytes, cost.weight_bytes, "weight size");
    total.nodes.push_back(cost);
  }
  return total;
}

}  // namespace adze
