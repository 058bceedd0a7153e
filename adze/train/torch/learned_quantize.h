#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "adze/train/torch/bounds.h"

namespace adze::train {

/// clamp(round_half_even(x / scale), low, high) · scale, elementwise as ONNX's QuantizeLinear and DequantizeLinear with
/// codes counted from the zero point. The gradient of x passes where x / scale lies in [low, high] and is 0 elsewhere
/// (straight-through estimator); that of the scale is the sum over what shares it of
///   gradient · (round(v) − v inside, low below, high above), v = x / scale,  times gradient_factor:
/// Esser et al., Learned Step Size Quantization, arXiv:1902.08153, equations 2 and 3.
///
/// bounds: of a Relu or Clip before it, which it applies to x first.
/// x: f32, any shape. scale: f32 [1], or [x.size(axis)] with axis.
at::Tensor learned_quantize(const at::Tensor& x, const at::Tensor& scale, std::optional<std::int64_t> axis,
                            std::int64_t low, std::int64_t high, double gradient_factor, Bounds bounds = unbounded);

}  // namespace adze::train
