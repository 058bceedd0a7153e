#include <algorithm>
#include <cmath>
#include <limits>

#include "adze/engine/step.h"
#include "adze/engine/steps/broadcast.h"

namespace adze::engine {

namespace {

constexpr std::int64_t element_grain = 1 << 14;

/// y[i] = f(x[i]); the output may lie over the input.
template <typename F>
std::unique_ptr<Step> unary_step(const BindContext& context, F f) {
  if (context.dtype(0) != DType::F32 || context.shape(0) != context.output_shape()) return nullptr;
  const float* x = context.in<float>(0);
  float* y = context.out<float>();
  const std::int64_t count = num_elements(context.output_shape());
  const int threads = context.threads();
  return make_step("elementwise", [=] {
    run_parallel(threads, count, element_grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) y[i] = f(x[i]);
    });
  });
}

std::unique_ptr<Step> bind_relu(const BindContext& context) {
  return unary_step(context, [](float x) { return x < 0.0f ? 0.0f : x; });
}

std::unique_ptr<Step> bind_clip(const BindContext& context) {
  float low = -std::numeric_limits<float>::infinity(), high = -low;
  for (const std::size_t i : {1, 2}) {
    if (!context.has(i)) continue;
    const Tensor* bound = context.constant(i);
    if (bound == nullptr || bound->dtype() != DType::F32 || bound->size() != 1) return nullptr;
    (i == 1 ? low : high) = bound->data<float>()[0];
  }
  return unary_step(context, [=](float x) {
    const float above = x < low ? low : x;
    return above > high ? high : above;
  });
}

std::unique_ptr<Step> bind_sigmoid(const BindContext& context) {
  return unary_step(context, [](float x) { return 1.0f / (1.0f + std::exp(-x)); });
}
std::unique_ptr<Step> bind_tanh(const BindContext& context) {
  return unary_step(context, [](float x) { return std::tanh(x); });
}
std::unique_ptr<Step> bind_exp(const BindContext& context) {
  return unary_step(context, [](float x) { return std::exp(x); });
}
std::unique_ptr<Step> bind_sqrt(const BindContext& context) {
  return unary_step(context, [](float x) { return std::sqrt(x); });
}
std::unique_ptr<Step> bind_erf(const BindContext& context) {
  return unary_step(context, [](float x) { return std::erf(x); });
}
std::unique_ptr<Step> bind_neg(const BindContext& context) {
  return unary_step(context, [](float x) { return -x; });
}
std::unique_ptr<Step> bind_leaky_relu(const BindContext& context) {
  const float alpha = context.node().get_float("alpha");
  return unary_step(context, [=](float x) { return x < 0.0f ? alpha * x : x; });
}
std::unique_ptr<Step> bind_hard_sigmoid(const BindContext& context) {
  const float alpha = context.node().get_float("alpha"), beta = context.node().get_float("beta");
  return unary_step(context, [=](float x) { return std::max(0.0f, std::min(1.0f, alpha * x + beta)); });
}
std::unique_ptr<Step> bind_hard_swish(const BindContext& context) {
  return unary_step(context, [](float x) { return x * std::max(0.0f, std::min(1.0f, x / 6.0f + 0.5f)); });
}
std::unique_ptr<Step> bind_gelu(const BindContext& context) {
  if (context.node().get_string("approximate") == "tanh") {
    return unary_step(context, [](float x) {
      return 0.5f * x * (1.0f + std::tanh(0.7978845608028654f * (x + 0.044715f * x * x * x)));
    });
  }
  return unary_step(context, [](float x) { return 0.5f * x * (1.0f + std::erf(x * 0.7071067811865476f)); });
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

std::unique_ptr<Step> bind_add(const BindContext& context) {
  return binary_step(context, [](float a, float b) { return a + b; });
}
std::unique_ptr<Step> bind_sub(const BindContext& context) {
  return binary_step(context, [](float a, float b) { return a - b; });
}
std::unique_ptr<Step> bind_mul(const BindContext& context) {
  return binary_step(context, [](float a, float b) { return a * b; });
}
std::unique_ptr<Step> bind_div(const BindContext& context) {
  return binary_step(context, [](float a, float b) { return a / b; });
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
      {OpKind::Tanh, bind_tanh},
      {OpKind::Exp, bind_exp},
      {OpKind::Sqrt, bind_sqrt},
      {OpKind::Erf, bind_erf},
      {OpKind::Neg, bind_neg},
      {OpKind::LeakyRelu, bind_leaky_relu},
      {OpKind::HardSigmoid, bind_hard_sigmoid},
      {OpKind::HardSwish, bind_hard_swish},
      {OpKind::Gelu, bind_gelu},
      {OpKind::Add, bind_add},
      {OpKind::Sub, bind_sub},
      {OpKind::Mul, bind_mul},
      {OpKind::Div, bind_div},
      {OpKind::PRelu, bind_prelu},
  };
  return entries;
}

}  // namespace adze::engine
