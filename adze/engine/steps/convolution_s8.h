#pragma once

#include <memory>

#include "adze/engine/kernels/geometry.h"
#include "adze/engine/step.h"
#include "adze/engine/steps/output_stage.h"

namespace adze::engine {

/// A convolution, or product, of bytes. Kernels read activations as u8: s8 ones get 128 more, zero point included.
struct ConvS8Problem {
  kernels::WindowGeometry geometry;
  const std::int8_t* weights;  ///< [O, C / group, taps]
  bool turned = false;         ///< weights are [C, O] of a product
  std::uint8_t pad;            ///< what padding holds: the u8 activations' zero point
  std::uint8_t flip;           ///< 0x80 for s8 activations, to be XORed
  StageArrays stage;

  ConvS8Problem(const BindContext& context, const kernels::WindowGeometry& g, bool turned);
  /// Weights as [O][taps][C / group], of all outputs or some.
  std::vector<std::int8_t> ordered_weights() const { return ordered_weights(0, geometry.out_channels); }
  std::vector<std::int8_t> ordered_weights(std::int64_t first_output, std::int64_t count) const;
};

/// The step of a QConv with channels last.
std::unique_ptr<Step> bind_quantized_conv(const BindContext& context);
/// The step of a QGemm: a 1 × 1 convolution over rows.
std::unique_ptr<Step> bind_quantized_gemm(const BindContext& context);
/// For tuning: what the two above do not choose for weights with many zeros (steps/sparse_s8.h).
std::unique_ptr<Step> bind_dense_quantized_conv(const BindContext& context);
std::unique_ptr<Step> bind_single_sparse_conv(const BindContext& context);
std::unique_ptr<Step> bind_block_sparse_conv(const BindContext& context);
std::unique_ptr<Step> bind_dense_quantized_gemm(const BindContext& context);
std::unique_ptr<Step> bind_single_sparse_gemm(const BindContext& context);
std::unique_ptr<Step> bind_block_sparse_gemm(const BindContext& context);

/// By products of pixels with packed weights.
std::unique_ptr<Step> make_dense_s8_step(const BindContext& context, const ConvS8Problem& problem);
/// One filter a channel; null for what its kernels cannot do.
std::unique_ptr<Step> make_depthwise_quads_s8_step(const BindContext& context, const ConvS8Problem& problem);
/// One filter a channel, of any shape.
std::unique_ptr<Step> make_depthwise_s8_step(const BindContext& context, const ConvS8Problem& problem);

}  // namespace adze::engine
