#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "adze/train/torch/batch_norm_rows.h"

namespace adze::train {

/// A batch norm's tensors, f32 [channels] each; the last two are changed by training.
struct BatchNormTensors {
  const at::Tensor &scale, &bias, &mean, &variance;
};

/// Whether batch_norm_clamp can run it: f32 on this processor, [N, C] or [N, C, H, W] with channels last in memory.
bool can_batch_norm_clamp(const at::Tensor& x, const BatchNormTensors& norm);

/// Batch normalization in training (Ioffe and Szegedy, arXiv:1502.03167) and a clamp behind it in one pass over memory
/// each way: the batch's own mean and variance normalize; the kept ones become keep · kept + (1 − keep) · batch's, with
/// the unbiased variance, as libtorch does. The gradient of the clamp is 0 on and beyond its bounds.
/// x: [N, C] or [N, C, H, W] as can_batch_norm_clamp asks; the result has x's shape and memory format.
at::Tensor batch_norm_clamp(const at::Tensor& x, const BatchNormTensors& norm, double keep, double epsilon,
                            Bounds bounds);

}  // namespace adze::train
