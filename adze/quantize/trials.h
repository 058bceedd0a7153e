#pragma once

#include <cstdint>
#include <vector>

#include "adze/quantize/ptq.h"

namespace adze::quantize {

/// Quantizes a network again and again with other widths, on one pass of calibration, and measures what each does to
/// the outputs: the energy of the difference to the float outputs, relative to theirs, over a few batches.
class Trials {
 public:
  /// float_graph: rewritten as wanted, with inferred types. The last batches are measured on as well.
  Trials(const Graph& float_graph, const CalibrationData& data, const PtqOptions& options, std::int64_t num_batches,
         ProgressSink& progress);

  const Graph& graph() const { return graph_; }
  /// Convolutions and products that the options quantize, in topological order.
  const std::vector<NodeId>& layers() const { return layers_; }
  std::int64_t weights_of(NodeId layer) const;
  /// Multiply-accumulates of one sample; 0 where shapes are not known.
  std::int64_t macs_of(NodeId layer) const;

  /// With this layer alone quantized, at these widths.
  double one_layer(NodeId layer, const BitWidths& bits) const;
  /// With everything quantized as the options say, layer_bits replaced (set_layer_bits).
  double all(const std::vector<LayerBits>& layer_bits) const;
  Graph quantized(const std::vector<LayerBits>& layer_bits) const;

 private:
  double noise_of(const Graph& quantized) const;

  Graph graph_;
  PtqOptions options_;
  std::vector<NodeId> layers_;
  Observations observations_;
  std::vector<std::vector<Tensor>> inputs_, exact_;
};

}  // namespace adze::quantize
