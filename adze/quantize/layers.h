#pragma once

#include <optional>
#include <vector>

#include "adze/graph/graph.h"
#include "adze/quantize/options.h"

namespace adze::quantize {

/// What quantization knows of an operator.
enum class Role : std::uint8_t {
  None,      ///< stays float
  Layer,     ///< Conv, ConvTranspose, Gemm, MatMul: always worth quantizing
  Between,   ///< quantized when all that it reads and something that reads it is
  Movement,  ///< outputs hold input values: one scale for both
  Final,     ///< Softmax
};
Role role_of(OpKind kind);

/// Can this node be computed on integers as it stands? Looks at dtypes, constants and attributes.
bool can_quantize(const Graph& graph, const Node& node);

/// The inputs that hold real numbers to be quantized; the bias is not among them.
std::vector<std::size_t> data_inputs(const Node& node);
/// The input that holds constant weights, when there is one.
std::optional<std::size_t> weight_input(const Graph& graph, const Node& node);
/// The input that holds the bias, when there is one.
std::optional<std::size_t> bias_input(const Node& node);
/// The axis of the output channels in the node's weights of that rank, when per-channel scales are possible.
std::optional<std::int64_t> channel_axis(const Node& node, std::int64_t rank);
/// The real interval that an operator's outputs lie in by definition.
std::optional<std::pair<double, double>> known_range(OpKind kind);

/// Does one of the patterns name this node or its operator?
bool is_skipped(const Node& node, const std::vector<std::string>& patterns);

}  // namespace adze::quantize
