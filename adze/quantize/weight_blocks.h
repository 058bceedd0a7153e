#pragma once

#include <cstdint>
#include <vector>

#include "adze/graph/graph.h"
#include "adze/numerics/tensor.h"

namespace adze::quantize {

/// Symmetric codes with a scale for each block of neighbours along one axis, as DequantizeLinear with block_size has
/// them.
struct BlockedWeight {
  Tensor codes;   ///< s4 for up to 4 bits, else s8; lowest code left out, as for all weights
  Tensor scales;  ///< f32, the codes' shape with the axis divided by the block
  std::int64_t axis = 0, block = 1;
};

/// With fewer than 8 bits the scale of least squared error is taken of 100, else the largest weight decides.
/// A block beyond the end of the axis is cut short.
BlockedWeight quantize_blocks(const Tensor& weight, std::int64_t axis, std::int64_t block, int bits);

/// What the codes stand for.
std::vector<float> restored(const BlockedWeight& weight);

/// The axis of a layer's weights along which its products sum.
std::int64_t input_axis(const Node& layer, const Shape& weight);

}  // namespace adze::quantize
