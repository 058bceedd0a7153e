#pragma once

// For the files of this family: each compiles it for its own instruction set. No symbol may reach other files.
#include "adze/engine/kernels/f32_math.h"
#include "adze/engine/kernels/unary_f32/unary_f32_call.h"

namespace adze::kernels {
namespace {

template <typename F, typename Function>
[[gnu::always_inline]] inline void apply(const UnaryF32Call& call, Function function) {
  std::int64_t i = 0;
  for (; i + F::lanes <= call.count; i += F::lanes) F::store(call.y + i, function(F::load(call.x + i)));
  if (i < call.count) {
    const auto inside = F::inside(call.count - i);
    F::store_some(call.y + i, function(F::load_some(call.x + i, inside)), inside);
  }
}

template <typename F>
inline void run_unary(const UnaryF32Call& call) {
  using M = F32Math<F>;
  using V = typename F::Vector;
  const V a = F::set(call.a), b = F::set(call.b), zero = F::set(0.0f), half = F::set(0.5f), one = F::set(1.0f);
  switch (call.function) {
    case UnaryF32Call::Clamp:
      return apply<F>(call, [&](V x) { return F::clamp(x, a, b); });
    case UnaryF32Call::LeakyRelu:
      return apply<F>(call, [&](V x) { return x < zero ? a * x : x; });
    case UnaryF32Call::HardSigmoid:
      return apply<F>(call, [&](V x) { return F::clamp(a * x + b, zero, one); });
    case UnaryF32Call::HardSwish:
      return apply<F>(call, [&](V x) { return x * F::clamp(x * F::set(1.0f / 6.0f) + half, zero, one); });
    case UnaryF32Call::Exp:
      return apply<F>(call, [](V x) { return M::exp(x); });
    case UnaryF32Call::Sigmoid:
      return apply<F>(call, [](V x) { return M::sigmoid(x); });
    case UnaryF32Call::Silu:
      return apply<F>(call, [](V x) { return M::silu(x); });
    case UnaryF32Call::Tanh:
      return apply<F>(call, [](V x) { return M::tanh(x); });
    case UnaryF32Call::Erf:
      return apply<F>(call, [](V x) { return M::erf(x); });
    case UnaryF32Call::Gelu:
      return apply<F>(call, [](V x) { return M::gelu(x); });
    case UnaryF32Call::GeluTanh:
      return apply<F>(call, [&](V x) {
        const V inner = F::set(0.7978845608028654f) * (x + F::set(0.044715f) * x * x * x);
        return half * x * (one + M::tanh(inner));
      });
    case UnaryF32Call::Neg:
      return apply<F>(call, [](V x) { return -x; });
    case UnaryF32Call::Sqrt:
      return apply<F>(call, [](V x) { return F::sqrt(x); });
  }
}

}  // namespace
}  // namespace adze::kernels
