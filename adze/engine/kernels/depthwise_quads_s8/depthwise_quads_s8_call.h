#pragma once

#include <cstdint>

#include "adze/engine/kernels/output_stage.h"

namespace adze::kernels {

/// How a side × side filter of the given stride meets quads: a row of 4 · quads pixels holds the windows of `outputs`
/// neighbouring output pixels.
struct QuadShape {
  int side, stride;

  constexpr int quads() const { return side > 4 ? 2 : 1; }
  constexpr int outputs() const { return (4 * quads() - side) / stride + 1; }
  /// Does output p read any pixel of quad q?
  constexpr bool meets(int p, int q) const { return p * stride < 4 * q + 4 && p * stride + side > 4 * q; }
};

/// The channels that are taken together: 64, or, where fewer remain, two or four pieces of a row side by side.
struct QuadBlock {
  std::int64_t first, width;  ///< channels first … first + width - 1, some maybe beyond the last; 64, 32 or 16

  std::int64_t pieces() const { return 64 / width; }
  /// Of lane l (32 bits) of vector i (of four): the channel.
  std::int64_t channel(std::int64_t i, std::int64_t lane) const {
    return first + lane / 4 * 16 % width + 4 * i + lane % 4;
  }
};

inline QuadBlock quad_block(std::int64_t channels, std::int64_t first) {
  const std::int64_t left = channels - first;
  return {first, left > 32 ? 64 : left > 16 ? 32 : 16};
}

/// Output rows of a depthwise convolution, each channel by its own filter; see depthwise_s8_call.h for what is
/// computed.
///
/// x is u8, padded, and readable for quad_margin() bytes beyond the last window. Windows start `stride` pixels and rows
/// apart. weights and the stage's arrays are in the order of pack_depthwise_quads_s8; the stage can pack
/// (scales_below_one in the onnx profile).
struct DepthwiseQuadsS8Call {
  const std::uint8_t* x;
  std::int64_t x_row;  ///< bytes
  std::int64_t channels;
  std::int64_t rows, columns;  ///< outputs
  const std::int8_t* weights;
  const OutputStage* stage;
  std::uint8_t* y;
  std::int64_t y_row;  ///< bytes
};

inline std::int64_t quad_margin(std::int64_t channels) {
  return 32 * channels + 64;
}

}  // namespace adze::kernels
