#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "adze/graph/graph.h"
#include "adze/quantize/options.h"

namespace adze::quantize {

/// Values that share one scale: what movement operators and Concat join.
struct ScaleGroup {
  std::vector<ValueId> members;  ///< values that get a quantizer
  /// Members whose values are new, not moved from another member: their histograms make the range. Constants among
  /// them.
  std::vector<ValueId> sources;
  /// The real interval that the operator's definition gives (Softmax, Sigmoid, Tanh), when all sources agree.
  std::optional<std::pair<double, double>> known_range;
  bool has_graph_input = false;
};

/// A quantizer after a value.
struct Quantizer {
  ValueId value;
  std::size_t group;
  /// An integer node computes the value: every reader sees the quantized one. Else only integer nodes do.
  bool for_all_readers;
};

/// A constant that an integer node reads as weights.
struct WeightUse {
  NodeId node;
  std::size_t input;
  std::optional<std::int64_t> axis;  ///< of the output channels; nothing: one scale
  std::optional<std::size_t> bias;   ///< input that holds the bias, when there is one
};

/// Where static quantization puts quantizers.
struct Placement {
  std::vector<bool> integer;             ///< by node index: computed on integers
  std::vector<NodeId> fused_activation;  ///< by node index: the Relu or Clip that ends its group, or None
  std::vector<ScaleGroup> groups;
  std::vector<Quantizer> quantizers;                       ///< by value id, ascending
  std::vector<std::pair<ValueId, std::size_t>> constants;  ///< constant operands (not weights) with their group
  std::vector<WeightUse> weights;

  bool is_integer(NodeId id) const { return integer[static_cast<std::size_t>(id)]; }
};

/// Chooses what is computed on integers, as deployment wants it: convolutions and matrix products always; sums,
/// products, pools and the like where they lie between those; movement operators where they carry quantized values. No
/// quantizer parts an operator from the Relu or Clip that follows. Nothing that only feeds an inner Softmax (attention
/// scores) is quantized, nor the last Softmax, Sigmoid or Tanh unless asked for. Types must have been inferred. only:
/// when not empty, all other nodes stay float (with these nodes' Relu and Clip still joined to them).
Placement place_quantizers(const Graph& graph, const PtqOptions& options, std::span<const NodeId> only = {});

}  // namespace adze::quantize
