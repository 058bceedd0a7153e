#include <ATen/ATen.h>

#include <cmath>

#include "adze/base/text.h"
#include "adze/graph/window.h"
#include "adze/train/torch/batch_norm_clamp.h"
#include "adze/train/torch/op_call.h"
#include "adze/train/torch/workers.h"

namespace adze::train {

namespace {

using at::Tensor;
using Ints = std::vector<std::int64_t>;

/// The sizes after batch and channels.
Shape spatial(const Tensor& x) {
  return {x.sizes().begin() + 2, x.sizes().end()};
}

/// x padded where begin and end differ; equal pads are left to the operator.
Tensor pad_unevenly(const Tensor& x, Window& window, double value) {
  if (window.pads_begin == window.pads_end) return x;
  Ints pads;
  for (std::size_t i = window.rank(); i-- > 0;) {
    pads.push_back(window.pads_begin[i]);
    pads.push_back(window.pads_end[i]);
  }
  window.pads_begin.assign(window.rank(), 0);
  window.pads_end.assign(window.rank(), 0);
  return at::constant_pad_nd(x, pads, value);
}

c10::optional<Tensor> optional(const OpCall& call, std::size_t i) {
  return call.has(i) ? c10::optional<Tensor>(call.in(i)) : c10::nullopt;
}

void conv(OpCall& call) {
  const Tensor& weight = call.in(1);
  Window window = window_of(call.node, static_cast<std::size_t>(call.rank()) - 2, symbolic(spatial(weight)));
  resolve_pads(window, spatial(call.in(0)));
  const Tensor x = pad_unevenly(call.in(0), window, 0);
  call.set(at::convolution(x, weight, optional(call, 2), window.strides, window.pads_begin, window.dilations, false,
                           Ints(window.rank(), 0), call.node.get_int("group")));
}

void conv_transpose(OpCall& call) {
  const Tensor &x = call.in(0), &weight = call.in(1);
  TransposedWindow geometry =
      transposed_window_of(call.node, static_cast<std::size_t>(call.rank()) - 2, symbolic(spatial(weight)));
  resolve_pads(geometry, spatial(x));
  Window& window = geometry.window;
  const Ints none(window.rank(), 0);
  Tensor y = at::convolution(x, weight, optional(call, 2), window.strides, none, window.dilations, true, none,
                             call.node.get_int("group"));
  // Negative pads cut; output_padding adds rows that only the bias reaches when nothing is left to cut.
  Ints pads;
  bool cut = false;
  for (std::size_t i = window.rank(); i-- > 0;) {
    const std::int64_t extra = geometry.output_padding.empty() ? 0 : geometry.output_padding[i];
    pads.push_back(-window.pads_begin[i]);
    pads.push_back(extra - window.pads_end[i]);
    if (pads.back() > 0 && call.has(2)) throw UnsupportedError("output_padding beyond the pads, with a bias");
    cut = cut || pads.back() != 0 || window.pads_begin[i] != 0;
  }
  call.set(cut ? at::constant_pad_nd(y, pads) : y);
}

void gemm(OpCall& call) {
  const Tensor a = call.node.get_int("transA") != 0 ? call.in(0).t() : call.in(0);
  const Tensor b = call.node.get_int("transB") != 0 ? call.in(1).t() : call.in(1);
  const double alpha = call.node.get_float("alpha"), beta = call.node.get_float("beta");
  if (call.has(2)) return call.set(at::addmm(call.in(2), a, b, beta, alpha));
  const Tensor product = at::mm(a, b);
  call.set(alpha == 1 ? product : product * alpha);
}

Tensor clamped(const Tensor& x, Bounds bounds) {
  if (std::isinf(bounds.low) && std::isinf(bounds.high)) return x;
  if (bounds.low == 0 && std::isinf(bounds.high)) return at::relu(x);
  return at::hardtanh(x, bounds.low, bounds.high);
}

/// Batch statistics of all processes together.
void batch_normalization_over_workers(OpCall& call) {
  const Tensor& x = call.in(0);
  Ints axes{0}, shape{1, x.size(1)};
  for (std::int64_t i = 2; i < x.dim(); ++i) {
    axes.push_back(i);
    shape.push_back(1);
  }
  const Tensor moments =
      mean_over_workers(at::stack({x.mean(axes), (x * x).mean(axes)}).to(at::kFloat), call.mode.workers);
  const Tensor mean = moments.select(0, 0), variance = moments.select(0, 1) - mean * mean;
  const Tensor factor = call.in(1) / at::sqrt(variance + static_cast<double>(call.node.get_float("epsilon")));
  call.set(clamped(x * factor.reshape(shape) + (call.in(2) - mean * factor).reshape(shape), call.bounds));
  const at::NoGradGuard no_grad;
  const double keep = call.node.get_float("momentum");
  const auto count = static_cast<double>(x.numel() / x.size(1) * call.mode.workers->size());
  call.in(3).mul_(keep).add_(mean.detach(), 1 - keep);
  call.in(4).mul_(keep).add_(variance.detach() * (count / std::max(1.0, count - 1)), 1 - keep);
}

/// In training the batch's own statistics count, and move the kept ones as momentum says.
void batch_normalization(OpCall& call) {
  if (call.mode.training && call.mode.workers) return batch_normalization_over_workers(call);
  if (call.mode.training) {
    const BatchNormTensors norm{call.in(1), call.in(2), call.in(3), call.in(4)};
    if (can_batch_norm_clamp(call.in(0), norm)) {
      return call.set(batch_norm_clamp(call.in(0), norm, call.node.get_float("momentum"),
                                       call.node.get_float("epsilon"), call.bounds));
    }
  }
  const double replaced = 1.0 - static_cast<double>(call.node.get_float("momentum"));
  call.set(clamped(at::batch_norm(call.in(0), call.in(1), call.in(2), call.in(3), call.in(4), call.mode.training,
                                  replaced, call.node.get_float("epsilon"), false),
                   call.bounds));
}

void layer_normalization(OpCall& call) {
  const Tensor& x = call.in(0);
  const std::int64_t axis = call.axis(call.node.get_int("axis"), x.dim());
  const at::IntArrayRef shape = x.sizes().slice(static_cast<std::size_t>(axis));
  const auto fitted = [&](std::size_t i) -> c10::optional<Tensor> {
    return call.has(i) ? c10::optional<Tensor>(call.in(i).expand(shape).contiguous()) : c10::nullopt;
  };
  call.set(at::layer_norm(x, shape, fitted(1), fitted(2), call.node.get_float("epsilon"), false));
}

void instance_normalization(OpCall& call) {
  call.set(
      at::instance_norm(call.in(0), call.in(1), call.in(2), {}, {}, true, 0.0, call.node.get_float("epsilon"), false));
}

void group_normalization(OpCall& call) {
  call.set(at::group_norm(call.in(0), call.node.get_int("num_groups"), call.in(1), call.in(2),
                          call.node.get_float("epsilon"), false));
}

/// x / (bias + alpha / size · Σ x²)^beta, the sum over size neighbouring channels.
void local_response_normalization(OpCall& call) {
  const Tensor& x = call.in(0);
  const std::int64_t size = call.node.get_int("size"), before = (size - 1) / 2;
  Ints pads(static_cast<std::size_t>(2 * (x.dim() - 1)), 0);
  pads[pads.size() - 2] = before;
  pads[pads.size() - 1] = size - 1 - before;
  const Tensor sums = at::constant_pad_nd(x * x, pads).unfold(1, size, 1).sum(-1);
  const double alpha = call.node.get_float("alpha");
  call.set(x / at::pow(call.node.get_float("bias") + alpha / static_cast<double>(size) * sums,
                       static_cast<double>(call.node.get_float("beta"))));
}

void dropout(OpCall& call) {
  const double ratio = call.has(1) ? call.in(1).item<double>() : 0.5;
  const bool drops = call.mode.training && ratio > 0;
  call.set(drops ? at::dropout(call.in(0), ratio, true) : call.in(0));
  call.set(1, at::ones_like(call.in(0), at::kBool));
}

}  // namespace

std::span<const OpEntry> neural_ops() {
  static const OpEntry entries[] = {
      {OpKind::BatchNormalization, batch_normalization},
      {OpKind::Conv, conv},
      {OpKind::ConvTranspose, conv_transpose},
      {OpKind::Dropout, dropout},
      {OpKind::Gemm, gemm},
      {OpKind::GroupNormalization, group_normalization},
      {OpKind::InstanceNormalization, instance_normalization},
      {OpKind::LRN, local_response_normalization},
      {OpKind::LayerNormalization, layer_normalization},
      {OpKind::MatMul, [](OpCall& c) { c.set(at::matmul(c.in(0), c.in(1))); }},
  };
  return entries;
}

}  // namespace adze::train
