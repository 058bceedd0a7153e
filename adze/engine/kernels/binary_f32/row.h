#pragma once

// For kernel files only. Everything in an unnamed namespace: no symbol may reach other files.
#include "adze/engine/kernels/binary_f32/binary_f32_call.h"

namespace adze::kernels {
namespace {

template <typename V, BinaryF32Op Op, bool Clamps>
inline typename V::Vector binary_value(typename V::Vector a, typename V::Vector b, typename V::Vector low,
                                       typename V::Vector high) {
  typename V::Vector y{};
  if constexpr (Op == BinaryF32Op::Add) y = a + b;
  if constexpr (Op == BinaryF32Op::Subtract) y = a - b;
  if constexpr (Op == BinaryF32Op::Multiply) y = a * b;
  if constexpr (Op == BinaryF32Op::Divide) y = a / b;
  return Clamps ? V::clamp(y, low, high) : y;
}

template <typename V, BinaryF32Op Op, bool Clamps>
inline void binary_loop(const BinaryF32Call& call) {
  const auto low = V::set(call.low), high = V::set(call.high);
  const float* a = call.a;
  const float* b = call.b;
  const auto one_a = V::set(*a), one_b = V::set(*b);
  std::int64_t i = 0;
  for (; i + V::lanes <= call.count; i += V::lanes) {
    const auto left = call.a_step == 0 ? one_a : V::load(a + i);
    const auto right = call.b_step == 0 ? one_b : V::load(b + i);
    V::store(call.y + i, binary_value<V, Op, Clamps>(left, right, low, high));
  }
  if (i == call.count) return;
  const auto inside = V::inside(call.count - i);
  const auto left = call.a_step == 0 ? one_a : V::load_some(a + i, inside);
  const auto right = call.b_step == 0 ? one_b : V::load_some(b + i, inside);
  V::store_some(call.y + i, binary_value<V, Op, Clamps>(left, right, low, high), inside);
}

template <typename V, BinaryF32Op Op>
inline void binary_loop(const BinaryF32Call& call) {
  call.clamps ? binary_loop<V, Op, true>(call) : binary_loop<V, Op, false>(call);
}

template <typename V>
inline void binary_row(const BinaryF32Call& call) {
  if (call.count <= 0) return;
  switch (call.op) {
    case BinaryF32Op::Add:
      return binary_loop<V, BinaryF32Op::Add>(call);
    case BinaryF32Op::Subtract:
      return binary_loop<V, BinaryF32Op::Subtract>(call);
    case BinaryF32Op::Multiply:
      return binary_loop<V, BinaryF32Op::Multiply>(call);
    case BinaryF32Op::Divide:
      return binary_loop<V, BinaryF32Op::Divide>(call);
  }
}

}  // namespace
}  // namespace adze::kernels
