#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "adze/graph/graph.h"
#include "adze/quantize/weight_layout.h"

namespace adze::quantize {

/// A layer of a quantized graph whose weights are stored codes that nothing else reads.
struct QuantizedLayer {
  NodeId node = NodeId::None;
  ValueId codes = ValueId::None;  ///< the constant that DequantizeLinear reads
  WeightLayout layout;
  Shape shape;                     ///< of the codes
  std::vector<float> scales;       ///< one for each stored weight, by its place in the tensor
  std::vector<float> zero_points;  ///< likewise; empty: all 0
};

/// The layers (Conv, Gemm, MatMul) whose weights come out of a DequantizeLinear on a constant, in topological order.
std::vector<QuantizedLayer> quantized_layers(const Graph& graph);
/// The same one at a time: scales of all weights take as much memory as float weights.
std::vector<NodeId> quantized_layer_nodes(const Graph& graph);
QuantizedLayer quantized_layer(const Graph& graph, NodeId node);

/// The real numbers that the codes stand for.
std::vector<float> restored_weights(const Graph& graph, const QuantizedLayer& layer);
/// Codes as numbers.
std::vector<float> stored_codes(const Graph& graph, const QuantizedLayer& layer);
/// Puts whole numbers in the codes' place, in the same type.
void store_codes(Graph& graph, const QuantizedLayer& layer, const std::vector<float>& codes);

/// The node of that name, or None.
NodeId find_node(const Graph& graph, std::string_view name);

/// A layer's bias as it is computed with: codes times scales, or floats. Empty when it has none or it is not constant.
std::vector<double> bias_of(const Graph& graph, const Node& layer);
/// Adds to it, rounding to its codes where it is stored as codes. Returns false where there is no constant bias that is
/// this layer's alone.
bool add_to_bias(Graph& graph, NodeId layer, const std::vector<double>& change);

}  // namespace adze::quantize
