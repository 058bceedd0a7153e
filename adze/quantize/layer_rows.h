#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "adze/engine/session.h"
#include "adze/graph/graph.h"
#include "adze/quantize/calibration.h"
#include "adze/quantize/weight_layout.h"

namespace adze::quantize {

/// Inputs of a layer as the rows of its product: what its weights meet at some positions of some samples.
struct LayerRows {
  std::int64_t groups = 1, count = 0, inputs = 0;
  std::vector<float> values;  ///< [groups, count, inputs]

  const float* row(std::int64_t group, std::int64_t index) const {
    return values.data() + (group * count + index) * inputs;
  }
};

struct RowOptions {
  std::int64_t samples = 256;  ///< 0: all
  std::int64_t rows = 8192;    ///< about so many in all, as many of each sample; fewer where they would take 256 MiB
  std::uint64_t seed = 0;      ///< chooses the positions: the same for graphs of the same geometry
};

/// Can rows of this layer be gathered? Conv of one or two spatial dimensions, Gemm without transA, MatMul.
bool has_rows(const Node& layer, const Shape& weight);

/// Runs the part of the graph before the layer, in float as written, and gathers rows of the layer's first input.
/// Throws ModelError when the data holds no sample.
LayerRows gather_rows(const Graph& graph, NodeId layer, const WeightLayout& layout, const Shape& weight,
                      const CalibrationData& data, const RowOptions& options);

/// The part of the graph that computes one value, as a graph; its node and value names stay.
Graph part_up_to(const Graph& graph, ValueId value);

/// One value of a graph, an input or computed in float as written, for batches of the graph's inputs.
class FloatValue {
 public:
  FloatValue(const Graph& graph, ValueId value);

  Tensor of(const std::vector<Tensor>& given);

 private:
  std::size_t input_ = 0;
  std::unique_ptr<Session> session_;  ///< null for an input
};

}  // namespace adze::quantize
