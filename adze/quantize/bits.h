#pragma once

#include <vector>

#include "adze/graph/graph.h"
#include "adze/quantize/options.h"

namespace adze::quantize {

/// Weights of so many bits stand for a layer left in float, where widths are chosen (mixed.h).
inline constexpr int float_bits = 32;

/// Replaces the widths of single layers; those of float_bits are skipped instead.
void set_layer_bits(PtqOptions& options, const std::vector<LayerBits>& layer_bits);

/// The bit widths of every layer of a graph, as options say: by pattern, else in general, with more for both ends.
class LayerWidths {
 public:
  LayerWidths(const Graph& graph, const PtqOptions& options);

  /// Of a layer (Conv, Gemm, MatMul …).
  const BitWidths& of(NodeId layer) const { return widths_[static_cast<std::size_t>(layer)]; }
  /// Of a value: the most that a layer which reads it wants, movement operators and the activation that follows looked
  /// through; without such a layer 8, or the general number where other operators read it.
  int of_value(const Graph& graph, const Uses& uses, ValueId value) const;

 private:
  std::vector<BitWidths> widths_;  ///< by node
  int general_;
};

/// Marks a QuantizeLinear whose codes are a part of its type's: metadata "adze.code_low" and "adze.code_high".
void set_code_window(Node& quantize, std::int64_t low, std::int64_t high);

/// Puts a Clip before every marked QuantizeLinear, so that it computes such codes only, and takes the marks off. A Relu
/// or Clip that it makes needless goes.
void clip_code_windows(Graph& graph);

/// Back again: where a Clip in front of a QuantizeLinear lets through whole codes, a part of its type's, it becomes a
/// mark.
void open_code_windows(Graph& graph);

}  // namespace adze::quantize
