#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adze/graph/graph.h"

namespace adze::prune {

/// Constant f32 weights of a layer seen as a matrix: a row for each output, a column for each product that goes into it
/// (input channel × kernel position).
struct Layer {
  NodeId node = NodeId::None;
  ValueId weight = ValueId::None;
  ValueId input = ValueId::None;  ///< what the weights are multiplied with; None: the layer's own state
  std::int64_t input_axis = 1;    ///< of the channels in input
  std::int64_t rows = 0, columns = 0;
  std::int64_t kernel = 1;  ///< columns for one input channel
  std::int64_t groups = 1;  ///< each takes rows / groups rows and has input channels of its own
  bool transposed = false;  ///< the tensor is columns × rows
  std::int64_t row_axis = 0, column_axis = 1;

  /// The input channel that a weight is multiplied with.
  std::int64_t input_channel(std::int64_t row, std::int64_t column) const {
    return row / (rows / groups) * (columns / kernel) + column / kernel;
  }
};

/// Conv, Gemm, MatMul (weights of rank 2), LSTM, GRU and RNN weights of a float network, in graph order, each tensor
/// once. skip: patterns with * and ? of node names or operators.
std::vector<Layer> weight_layers(const Graph& graph, const std::vector<std::string>& skip = {});

/// The weights, row-major rows × columns.
std::vector<float> weight_matrix(const Graph& graph, const Layer& layer);
void set_weight_matrix(Graph& graph, const Layer& layer, std::span<const float> matrix);

/// The node's name, or that of the weights where it has none.
std::string layer_name(const Graph& graph, const Layer& layer);

/// Throws ModelError naming the first layer whose weights are not all finite: they cannot be put in order.
void check_finite_weights(const Graph& graph);

/// Does a pattern with * and ? name the node or its operator?
bool is_named(const Node& node, const std::vector<std::string>& patterns);

/// Throws UsageError when the pattern names no node of the graph.
void check_names_something(const Graph& graph, const std::string& pattern);

}  // namespace adze::prune
