#include <algorithm>
#include <limits>

#include "adze/engine/kernels/unary_f32/unary_f32.h"
#include "adze/engine/step.h"
#include "adze/engine/steps/broadcast.h"

namespace adze::engine {

namespace {

constexpr std::int64_t element_grain = 1 << 14;

using kernels::UnaryF32Call;

constexpr float infinity = std::numeric_limits<float>::infinity();

/// y[i] = function(x[i]); the output may lie over the input.
std::unique_ptr<Step> unary_step(const BindContext& context, UnaryF32Call::Function function, float a = 0.0f,
                                 float b = 0.0f) {
  if (context.dtype(0) != DType::F32 || context.shape(0) != context.output_shape()) return nullptr;
  const UnaryF32Call call{
      function, a, b, num_elements(context.output_shape()), context.in<float>(0), context.out<float>()};
  const int threads = context.threads();
  const kernels::UnaryF32Kernel& kernel = kernels::unary_f32_kernel(context.isa());
  return make_step(kernel.name, [=, run = kernel.run] {
    run_parallel(threads, call.count, element_grain, [&](std::int64_t begin, std::int64_t end) {
      UnaryF32Call part = call;
      part.count = end - begin;
      part.x += begin;
      part.y += begin;
      run(part);
    });
  });
}

template <UnaryF32Call::Function function>
std::unique_ptr<Step> bind_unary(const BindContext& context) {
  return unary_step(context, function);
}

std::unique_ptr<Step> bind_relu(const BindContext& context) {
  return unary_step(context, UnaryF32Call::Clamp, 0.0f, infinity);
}

std::unique_ptr<Step> bind_clip(const BindContext& context) {
  float low = -infinity, high = infinity;
  for (const std::size_t i : {1, 2}) {
    if (!context.has(i)) continue;
    const Tensor* bound = context.constant(i);
    if (bound == nullptr || bound->dtype() != DType::F32 || bound->size() != 1) return nullptr;
    (i == 1 ? low : high) = bound->data<float>()[0];
  }
  return unary_step(context, UnaryF32Call::Clamp, low, high);
}

std::unique_ptr<Step> bind_sigmoid(const BindContext& context) {
  const bool times_x = context.node().get_int("times_x", 0) != 0;
  return unary_step(context, times_x ? UnaryF32Call::Silu : UnaryF32Call::Sigmoid);
}
std::unique_ptr<Step> bind_leaky_relu(const BindContext& context) {
  return unary_step(context, UnaryF32Call::LeakyRelu, context.node().get_float("alpha"));
}
std::unique_ptr<Step> bind_hard_sigmoid(const BindContext& context) {
  return unary_step(context, UnaryF32Call::HardSigmoid, context.node().get_float("alpha"),
                    context.node().get_float("beta"));
}
std::unique_ptr<Step> bind_gelu(const BindContext& context) {
  const bool by_tanh = context.node().get_string("approximate") == "tanh";
  return unary_step(context, by_tanh ? UnaryF32Call::GeluTanh : UnaryF32Call::Gelu);
}

/// y = f(a, b) with broadcasting; the output may lie over an input of its own shape.
template <typename F>
std::unique_ptr<Step> binary_step(const BindContext& context, F f) {
  if (context.dtype(0) != DType::F32 || context.dtype(1) != DType::F32) return nullptr;
  const BroadcastLoop loop(context.shape(0), context.shape(1), context.output_shape());
  const float* a = context.in<float>(0);
  const float* b = context.in<float>(1);
  float* y = context.out<float>();
  const int threads = context.threads();
  return make_step("elementwise", [=] {
    run_parallel(threads, loop.rows(), std::max<std::int64_t>(1, element_grain / loop.length()),
                 [&](std::int64_t begin, std::int64_t end) {
                   loop.run(begin, end, [&](std::int64_t at_a, std::int64_t at_b, std::int64_t at_y) {
                     const float* left = a + at_a;
                     const float* right = b + at_b;
                     float* out = y + at_y;
                     const std::int64_t n = loop.length();
                     if (loop.a_step() == 1 && loop.b_step() == 1) {
                       for (std::int64_t i = 0; i < n; ++i) out[i] = f(left[i], right[i]);
                     } else if (loop.a_step() == 1) {
                       const float value = right[0];
                       for (std::int64_t i = 0; i < n; ++i) out[i] = f(left[i], value);
                     } else {
                       const float value = left[0];
                       for (std::int64_t i = 0; i < n; ++i) out[i] = f(value, right[i * loop.b_step()]);
                     }
                   });
                 });
  });
}

std::unique_ptr<Step> bind_prelu(const BindContext& context) {
  return binary_step(context, [](float x, float slope) { return x < 0.0f ? slope * x : x; });
}

}  // namespace

std::span<const BinderEntry> elementwise_binders() {
  static const BinderEntry entries[] = {
      {OpKind::Relu, bind_relu},
      {OpKind::Clip, bind_clip},
      {OpKind::Sigmoid, bind_sigmoid},
      {OpKind::Tanh, bind_unary<UnaryF32Call::Tanh>},
      {OpKind::Exp, bind_unary<UnaryF32Call::Exp>},
      {OpKind::Sqrt, bind_unary<UnaryF32Call::Sqrt>},
      {OpKind::Erf, bind_unary<UnaryF32Call::Erf>},
      {OpKind::Neg, bind_unary<UnaryF32Call::Neg>},
      {OpKind::LeakyRelu, bind_leaky_relu},
      {OpKind::HardSigmoid, bind_hard_sigmoid},
      {OpKind::HardSwish, bind_unary<UnaryF32Call::HardSwish>},
      {OpKind::Gelu, bind_gelu},
      {OpKind::PRelu, bind_prelu},
  };
  return entries;
}

}  // namespace adze::engine
