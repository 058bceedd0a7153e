#include <algorithm>

#include "adze/quantize/equalize.h"
#include "adze/quantize/layers.h"
#include "adze/quantize/weight_layout.h"

namespace adze::quantize {

namespace {

bool commutes_with_factors(const Graph& graph, const Node& node) {
  switch (node.kind) {
    case OpKind::Relu:
    case OpKind::LeakyRelu:
    case OpKind::Identity:
    case OpKind::MaxPool:
    case OpKind::AveragePool:
    case OpKind::GlobalAveragePool:
    case OpKind::GlobalMaxPool:
      return true;
    case OpKind::Flatten:
      return node.get_int("axis") == 1;
    case OpKind::Clip: {  // from 0 up: only once it has been opened
      const Tensor* low = graph.constant(node.input(1));
      const Tensor* high = graph.constant(node.input(2));
      return low != nullptr && high != nullptr && low->size() == 1 && low->get_double(0) == 0;
    }
    default:
      return false;
  }
}

std::optional<WeightLayout> own_layout(const Graph& graph, const Uses& uses, NodeId id) {
  const Node& node = graph.node(id);
  if (weight_input(graph, node) != std::optional<std::size_t>(1) || !uses.single(node.input(1))) return std::nullopt;
  const Tensor* weight = graph.constant(node.input(1));
  if (weight->dtype() != DType::F32 || weight->empty()) return std::nullopt;
  if (const auto bias = bias_input(node)) {
    const Tensor* offsets = graph.constant(node.input(*bias));
    if (offsets == nullptr || offsets->dtype() != DType::F32 || offsets->rank() != 1 || !uses.single(node.input(*bias)))
      return std::nullopt;
  }
  if (node.kind == OpKind::Gemm && (node.get_float("alpha") != 1 || node.get_float("beta") != 1)) return std::nullopt;
  return weight_layout(node, weight->shape());
}

}  // namespace

std::vector<LayerPair> layer_pairs(const Graph& graph) {
  const Uses uses(graph);
  std::vector<LayerPair> pairs;
  for (const NodeId id : topological_order(graph)) {
    const auto layout = own_layout(graph, uses, id);
    if (!layout) continue;
    LayerPair pair;
    pair.first = id;
    ValueId value = graph.node(id).output();
    while (uses.single(value)) {
      const NodeId reader = uses.of(value)[0];
      const Node& node = graph.node(reader);
      if (node.input(0) != value) break;
      if (role_of(node.kind) == Role::Layer) {
        pair.second = reader;
        break;
      }
      if (!commutes_with_factors(graph, node) || node.outputs.size() != 1) break;
      pair.between.push_back(reader);
      value = node.output();
    }
    if (pair.second == NodeId::None) continue;
    const auto next = own_layout(graph, uses, pair.second);
    if (!next || next->all_channels() % layout->all_outputs() != 0) continue;
    pair.spread = next->all_channels() / layout->all_outputs();
    const bool flattens = std::any_of(pair.between.begin(), pair.between.end(),
                                      [&](NodeId node) { return graph.node(node).kind == OpKind::Flatten; });
    if (pair.spread == 1 || flattens) pairs.push_back(std::move(pair));
  }
  return pairs;
}

}  // namespace adze::quantize
