#include "adze/prune/zeros.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "adze/engine/reference/reference.h"
#include "adze/graph/edit.h"
#include "adze/graph/facts.h"
#include "adze/prune/layers.h"

namespace adze::prune {

namespace {

/// Does the node compute weights from constants alone: codes with scales, a codebook's values, another order of axes?
bool makes_weights(const Graph& graph, const Node& node) {
  if (node.outputs.size() != 1 || node.inputs.empty()) return false;
  if (node.kind == OpKind::If || node.kind == OpKind::Loop || node.kind == OpKind::Scan) return false;
  return std::all_of(node.inputs.begin(), node.inputs.end(),
                     [&](ValueId input) { return input == ValueId::None || graph.constant(input) != nullptr; });
}

/// What stands between constants and layers is computed.
Graph with_plain_weights(Graph graph) {
  for (const NodeId id : topological_order(graph)) {
    const Node& node = graph.node(id);
    if (!makes_weights(graph, node)) continue;
    std::vector<reference::Datum> inputs;
    for (const ValueId input : node.inputs) {
      inputs.push_back(input == ValueId::None ? reference::Datum() : reference::Datum(*graph.constant(input)));
    }
    const Tensor weights = reference::run_node(graph, node, inputs).at(0).tensor();
    GraphEdit edit(graph, "weights are looked at");
    edit.replace(node.output(), edit.add_constant(graph.value(node.output()).name, weights));
    edit.remove(id);
    apply(graph, edit);
  }
  return graph;
}

/// Do at most two of every four neighbours along each row stay? What is left over at a row's end does not count.
bool is_two_of_four(const std::vector<float>& matrix, const Layer& layer) {
  constexpr std::int64_t together = 4, gone = 2;
  for (std::int64_t row = 0; row < layer.rows; ++row) {
    for (std::int64_t column = 0; column + together <= layer.columns; column += together) {
      const auto first = matrix.begin() + static_cast<std::ptrdiff_t>(row * layer.columns + column);
      if (std::count(first, first + together, 0.0F) < gone) return false;
    }
  }
  return layer.columns >= together;
}

/// Are all 8 outputs of a block 0 wherever one is, nearly everywhere?
bool is_in_blocks(const std::vector<float>& matrix, const Layer& layer, std::int64_t zeros) {
  constexpr std::int64_t height = 8;
  if (layer.rows < height) return false;
  std::int64_t together = 0;
  for (std::int64_t row = 0; row < layer.rows; row += height) {
    const std::int64_t end = std::min(row + height, layer.rows);
    for (std::int64_t column = 0; column < layer.columns; ++column) {
      bool all = true;
      for (std::int64_t r = row; r < end; ++r) {
        all = all && matrix[static_cast<std::size_t>(r * layer.columns + column)] == 0;
      }
      if (all) together += end - row;
    }
  }
  constexpr double nearly = 0.98;
  return static_cast<double>(together) >= nearly * static_cast<double>(zeros);
}

/// The input that holds the codes of weights, and the one with their zero points; 0: no such operator.
std::pair<std::size_t, std::size_t> integer_weights(OpKind kind) {
  switch (kind) {
    case OpKind::ConvInteger:
    case OpKind::MatMulInteger:
      return {1, 3};
    case OpKind::QLinearConv:
    case OpKind::QLinearMatMul:
      return {3, 5};
    default:
      return {0, 0};
  }
}

/// Layers that multiply codes, with a zero point for all of their weights or none.
std::optional<LayerZeros> integer_layer_zeros(const Graph& graph, const Node& node) {
  const auto [weight, zero_point] = integer_weights(node.kind);
  if (weight == 0) return std::nullopt;
  const Tensor* codes = graph.constant(node.input(weight));
  if (codes == nullptr) return std::nullopt;
  std::int64_t zero = 0;
  if (node.input(zero_point) != ValueId::None) {
    const Tensor* point = graph.constant(node.input(zero_point));
    if (point == nullptr || point->size() == 0) return std::nullopt;
    zero = point->get_int(0);
    for (std::int64_t i = 1; i < point->size(); ++i) {
      if (point->get_int(i) != zero) return std::nullopt;
    }
  }
  LayerZeros one;
  one.name = node.name;
  one.weights = codes->size();
  for (std::int64_t i = 0; i < codes->size(); ++i) one.zeros += codes->get_int(i) == zero ? 1 : 0;
  return one;
}

}  // namespace

std::vector<LayerZeros> layer_zeros(const Graph& graph) {
  const Graph plain = with_plain_weights(graph);
  std::vector<LayerZeros> result;
  for (const Layer& layer : weight_layers(plain)) {
    const std::vector<float> matrix = weight_matrix(plain, layer);
    LayerZeros one;
    one.name = layer_name(plain, layer);
    one.weights = static_cast<std::int64_t>(matrix.size());
    one.zeros = std::count(matrix.begin(), matrix.end(), 0.0F);
    constexpr std::int64_t noticeable = 10;  // one zero in so many weights
    if (noticeable * one.zeros >= one.weights) {
      if (is_in_blocks(matrix, layer, one.zeros)) {
        one.pattern = "8x1";
      } else if (is_two_of_four(matrix, layer)) {
        one.pattern = "2:4";
      }
    }
    result.push_back(std::move(one));
  }
  for (const NodeId id : plain.node_ids()) {
    if (auto one = integer_layer_zeros(plain, plain.node(id))) result.push_back(std::move(*one));
  }
  return result;
}

void note_zeros(Graph& graph) {
  WeightFacts facts = weight_facts(graph);
  facts.zeros = true;
  facts.num_weights = facts.num_zeros = 0;
  for (const LayerZeros& layer : layer_zeros(graph)) {
    facts.num_weights += layer.weights;
    facts.num_zeros += layer.zeros;
  }
  set_weight_facts(graph, facts);
}

ZeroFacts zero_facts(const Graph& graph, const std::vector<LayerZeros>& layers) {
  const WeightFacts facts = weight_facts(graph);
  ZeroFacts result;
  result.recorded = facts.zeros && facts.num_weights > 0;
  result.recorded_weights = facts.num_weights;
  result.recorded_zeros = facts.num_zeros;
  for (const LayerZeros& layer : layers) {
    result.weights += layer.weights;
    result.zeros += layer.zeros;
  }
  return result;
}

}  // namespace adze::prune
