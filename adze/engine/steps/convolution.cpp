#include <limits>
#include <optional>

#include "adze/base/text.h"
#include "adze/engine/kernels/conv_f32/conv_f32.h"
#include "adze/engine/steps/convolution_s8.h"
#include "adze/engine/steps/dense_bf16.h"
#include "adze/engine/steps/dense_f32.h"
#include "adze/engine/steps/depthwise_f32.h"
#include "adze/engine/steps/gate.h"
#include "adze/engine/steps/geometry.h"
#include "adze/engine/steps/post_ops.h"
#include "adze/engine/steps/signs.h"
#include "adze/engine/steps/sparse_f32.h"
#include "adze/engine/steps/sums_s8.h"
#include "adze/engine/steps/winograd_f32.h"

namespace adze::engine {

namespace {

using kernels::ConvF32;
using kernels::WindowGeometry;

float bound(const Node& node, std::string_view name, float none) {
  return node.has(name) ? node.get_float(name) : none;
}

constexpr float infinity = std::numeric_limits<float>::infinity();

/// What the own kernels are told: any convolution but depthwise.
std::optional<DenseF32Problem> problem_of(const BindContext& context) {
  if (!context.channels_last()) return std::nullopt;
  const Tensor& weights = *context.constant(1);
  const WindowGeometry g = geometry_of(context, weights.shape());
  const std::int64_t inputs = g.in_channels / g.groups, outputs = g.out_channels / g.groups;
  if (g.groups > 1 && inputs == 1 && outputs == 1) return std::nullopt;
  DenseF32Problem problem{g,
                          {weights.elements<float>(), g.taps(), inputs, outputs, 1, g.taps(), g.taps() * inputs},
                          {},
                          bound(context.node(), "fused_low", -infinity),
                          bound(context.node(), "fused_high", infinity)};
  if (context.has(2)) problem.bias = [bias = context.in<float>(2)](std::int64_t j) { return bias[j]; };
  return problem;
}

/// A step that is made of the problem alone.
template <std::unique_ptr<Step> (*make)(const BindContext&, const DenseF32Problem&)>
std::unique_ptr<Step> bind_problem(const BindContext& context) {
  const auto problem = problem_of(context);
  return problem ? make(context, *problem) : nullptr;
}

std::unique_ptr<Step> bind_dense_bf16(const BindContext& context) {
  if (context.compute() != Compute::Bf16) return nullptr;
  return bind_problem<make_dense_bf16_step>(context);
}

std::unique_ptr<Step> bind_onednn(const BindContext& context) {
  if (!context.channels_last() || has_gate(context)) return nullptr;
  const Tensor& weights = *context.constant(1);
  const WindowGeometry geometry = geometry_of(context, weights.shape());
  const kernels::ConvF32Weights given = {weights.data<float>().data(), context.has(2) ? context.in<float>(2) : nullptr,
                                         bound(context.node(), "fused_low", -infinity),
                                         bound(context.node(), "fused_high", infinity)};
  const std::string key = cat("conv_f32 ", geometry.in_height, "x", geometry.in_width, " ", given.low, " ", given.high);
  const auto kernel = context.weights().get<std::shared_ptr<const ConvF32>>(context.origin(), key, [&] {
    std::shared_ptr<const ConvF32> made = kernels::make_conv_f32(geometry, given, context.isa());
    context.weights().count_bytes(made->packed_bytes());
    return made;
  });
  const float* x = context.in<float>(0);
  float* y = context.out<float>();
  const std::int64_t x_step = geometry.in_pixels() * geometry.in_channels;
  const std::int64_t y_step = geometry.out_pixels() * geometry.out_channels;
  const int threads = context.threads();
  // One picture at a time: its result does not depend on the batch, nor on the threads.
  return make_step((*kernel)->name(), [=, post_ops = PostOps(context)] {
    run_parallel(threads, geometry.batch, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t n = begin; n < end; ++n) {
        (*kernel)->run(x + n * x_step, y + n * y_step);
        post_ops.apply(y + n * y_step, n * geometry.out_pixels(), geometry.out_pixels());
      }
    });
  });
}

}  // namespace

std::span<const BinderEntry> convolution_binders() {
  static const BinderEntry entries[] = {{OpKind::Conv, bind_depthwise_f32, "depthwise_f32"},
                                        {OpKind::Conv, bind_dense_bf16, "dense_bf16"},
                                        {OpKind::Conv, bind_problem<make_sparse_f32_step>, "sparse_f32"},
                                        {OpKind::Conv, bind_winograd_f32, "winograd_f32"},
                                        {OpKind::Conv, bind_problem<make_dense_f32_step>, "dense_f32"},
                                        {OpKind::Conv, bind_onednn, "onednn"},
                                        {OpKind::Conv, bind_problem<make_single_sparse_f32_step>, "sparse_f32 single"},
                                        {OpKind::Conv, bind_problem<make_block_sparse_f32_step>, "sparse_f32 blocks"},
                                        {OpKind::QConv, bind_signs, "signs"},
                                        {OpKind::QConv, bind_quantized_conv, "quantized"},
                                        {OpKind::QConv, bind_dense_quantized_conv, "dense_s8"},
                                        {OpKind::QConv, bind_single_sparse_conv, "sparse_s8 single"},
                                        {OpKind::QConv, bind_block_sparse_conv, "sparse_s8 blocks"},
                                        {OpKind::ConvInteger, bind_integer_sums}};
  return entries;
}

}  // namespace adze::engine
