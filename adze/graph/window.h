#pragma once

#include <cstdint>
#include <vector>

#include "adze/graph/graph.h"

namespace adze {

enum class AutoPad : std::uint8_t { NotSet, Valid, SameUpper, SameLower };

/// How the kernel of a convolution or pool slides over the spatial dimensions. One entry per spatial dimension.
struct Window {
  std::vector<std::int64_t> kernel;  ///< -1 where inference does not know it
  std::vector<std::int64_t> strides;
  std::vector<std::int64_t> dilations;
  std::vector<std::int64_t> pads_begin;
  std::vector<std::int64_t> pads_end;
  AutoPad auto_pad = AutoPad::NotSet;
  bool ceil_mode = false;

  std::size_t rank() const { return kernel.size(); }
  /// Input elements that one window spans, holes included; -1 when the kernel is unknown. Checked.
  std::int64_t extent(std::size_t i) const;
};

/// The window of a Conv, pool or kin from its attributes, each checked: strides, dilations and kernel at least 1, pads
/// not negative, lists as long as spatial_rank. kernel: the weight's spatial dimensions for convolutions (must agree
/// with kernel_shape), empty for pools. Throws ModelError.
Window window_of(const Node& node, std::size_t spatial_rank, const SymbolicShape& kernel = {});

/// Output size along spatial dimension i; an unknown or symbolic input stays symbolic where the size does not change.
/// Throws ModelError when the window does not fit into the padded input.
Dim window_output(const Window& window, std::size_t i, const Dim& input);

/// Turns auto_pad into the pads that it means for an input of these spatial sizes.
void resolve_pads(Window& window, const Shape& input);

/// Geometry of ConvTranspose: the output's spatial sizes, and the pads that output_shape or auto_pad imply.
struct TransposedWindow {
  Window window;
  std::vector<std::int64_t> output_padding;
  std::vector<std::int64_t> output_shape;  ///< the attribute; empty when absent
};
TransposedWindow transposed_window_of(const Node& node, std::size_t spatial_rank, const SymbolicShape& kernel);
Dim transposed_output(const TransposedWindow& geometry, std::size_t i, const Dim& input);
/// Fills window.pads_* for an input of these spatial sizes.
void resolve_pads(TransposedWindow& geometry, const Shape& input);

}  // namespace adze
