#pragma once

#include <vector>

#include "adze/graph/graph.h"

namespace adze::quantize {

/// A value whose only readers are products with constant weights, and the node that can divide its channels (the last
/// axis) by factors at no cost: the readers' weights are multiplied by them in turn.
struct SharedInput {
  ValueId value = ValueId::None;
  std::vector<NodeId> layers;   ///< MatMul and Gemm, at least one
  NodeId giver = NodeId::None;  ///< LayerNormalization, Mul with constants, or Add with constants behind a MatMul
  std::int64_t channels = 0;
};

/// In topological order. Types must have been inferred.
std::vector<SharedInput> shared_inputs(const Graph& graph);

/// Divides the value's channels by the factors at its giver and multiplies its readers' weights: the function stays.
void move_factors(Graph& graph, const SharedInput& input, const std::vector<double>& factors);

/// The layer's weights, input by input times the factors.
Tensor with_scaled_inputs(const Graph& graph, NodeId layer, const std::vector<double>& factors);

}  // namespace adze::quantize
