#include "adze/prune/layers.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "adze/base/text.h"

namespace adze::prune {

namespace {

Layer conv_layer(const Node& node, const Tensor& weight) {
  Layer layer;
  layer.input = node.input(0);
  layer.weight = node.input(1);
  layer.rows = weight.dim(0);
  layer.columns = weight.size() / std::max<std::int64_t>(1, layer.rows);
  layer.kernel = layer.columns / std::max<std::int64_t>(1, weight.dim(1));
  layer.groups = node.get_int("group", 1);
  return layer;
}

/// The weights are the right operand, [columns, rows] unless turned.
Layer product_layer(const Node& node, const Tensor& weight, std::int64_t input_axis) {
  Layer layer;
  layer.input = node.input(0);
  layer.weight = node.input(1);
  layer.input_axis = input_axis;
  layer.transposed = node.get_int("transB", 0) == 0;
  layer.row_axis = layer.transposed ? 1 : 0;
  layer.column_axis = 1 - layer.row_axis;
  layer.rows = weight.dim(layer.row_axis);
  layer.columns = weight.dim(layer.column_axis);
  return layer;
}

Layer recurrent_layer(const Node& node, const Tensor& weight, std::size_t input) {
  Layer layer;
  layer.weight = node.input(input);
  if (input == 1) layer.input = node.input(0);
  layer.input_axis = 2;
  layer.rows = weight.dim(0) * weight.dim(1);
  layer.columns = weight.dim(2);
  layer.row_axis = 1;
  layer.column_axis = 2;
  return layer;
}

std::optional<Layer> layer_of(const Graph& graph, const Node& node, std::size_t input) {
  const Tensor* weight = graph.constant(node.input(input));
  if (weight == nullptr || weight->dtype() != DType::F32 || weight->size() == 0) return std::nullopt;
  switch (node.kind) {
    case OpKind::Conv:
      if (input != 1) return std::nullopt;
      return conv_layer(node, *weight);
    case OpKind::Gemm:
      if (input != 1 || node.get_int("transA", 0) != 0) return std::nullopt;
      return product_layer(node, *weight, 1);
    case OpKind::MatMul: {
      const auto& shape = graph.value(node.input(0)).type.shape;
      if (input != 1 || weight->rank() != 2 || !shape || shape->size() < 2) return std::nullopt;
      return product_layer(node, *weight, static_cast<std::int64_t>(shape->size()) - 1);
    }
    case OpKind::LSTM:
    case OpKind::GRU:
    case OpKind::RNN:
      return recurrent_layer(node, *weight, input);
    default:
      return std::nullopt;
  }
}

}  // namespace

std::vector<Layer> weight_layers(const Graph& graph, const std::vector<std::string>& skip) {
  std::vector<Layer> layers;
  std::set<ValueId> seen;
  for (const NodeId id : topological_order(graph)) {
    const Node& node = graph.node(id);
    if (is_named(node, skip)) continue;
    for (std::size_t input = 1; input < std::min<std::size_t>(3, node.inputs.size()); ++input) {
      auto layer = layer_of(graph, node, input);
      if (!layer || !seen.insert(layer->weight).second) continue;
      layer->node = id;
      layers.push_back(*layer);
    }
  }
  return layers;
}

std::vector<float> weight_matrix(const Graph& graph, const Layer& layer) {
  const auto data = graph.constant(layer.weight)->data<float>();
  if (!layer.transposed) return {data.begin(), data.end()};
  std::vector<float> matrix(data.size());
  for (std::int64_t column = 0; column < layer.columns; ++column) {
    for (std::int64_t row = 0; row < layer.rows; ++row) {
      matrix[static_cast<std::size_t>(row * layer.columns + column)] =
          data[static_cast<std::size_t>(column * layer.rows + row)];
    }
  }
  return matrix;
}

void set_weight_matrix(Graph& graph, const Layer& layer, std::span<const float> matrix) {
  const auto data = graph.value(layer.weight).constant->mutable_data<float>();
  for (std::int64_t row = 0; row < layer.rows; ++row) {
    for (std::int64_t column = 0; column < layer.columns; ++column) {
      const std::int64_t place = layer.transposed ? column * layer.rows + row : row * layer.columns + column;
      data[static_cast<std::size_t>(place)] = matrix[static_cast<std::size_t>(row * layer.columns + column)];
    }
  }
}

std::string layer_name(const Graph& graph, const Layer& layer) {
  const std::string& name = graph.node(layer.node).name;
  return name.empty() ? graph.value(layer.weight).name : name;
}

void check_finite_weights(const Graph& graph) {
  for (const Layer& layer : weight_layers(graph)) {
    const auto data = graph.constant(layer.weight)->data<float>();
    const auto bad = std::find_if(data.begin(), data.end(), [](float weight) { return !std::isfinite(weight); });
    if (bad == data.end()) continue;
    throw ModelError(cat("the weights ", adze::quoted(graph.value(layer.weight).name), " hold ", *bad, " at ",
                         bad - data.begin(), ": they cannot be put in order"),
                     place_of(graph, graph.node(layer.node)), "a file from before training went wrong");
  }
}

bool is_named(const Node& node, const std::vector<std::string>& patterns) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return matches_wildcard(pattern, node.name) || matches_wildcard(pattern, op_name(node.kind));
  });
}

void check_names_something(const Graph& graph, const std::string& pattern) {
  for (const NodeId id : graph.node_ids()) {
    if (is_named(graph.node(id), {pattern})) return;
  }
  throw UsageError(cat("no node or operator is named ", adze::quoted(pattern)),
                   "adze inspect lists the nodes; * and ? stand for any characters and for one");
}

}  // namespace adze::prune
