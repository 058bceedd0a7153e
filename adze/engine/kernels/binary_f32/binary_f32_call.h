#pragma once

#include <cstdint>

namespace adze::kernels {

enum class BinaryF32Op : std::uint8_t { Add, Subtract, Multiply, Divide };

/// y[i] = clamp(op(a[i * a_step], b[i * b_step])). Steps are 1 or, for a single number, 0; y may lie over a or b.
struct BinaryF32Call {
  BinaryF32Op op;
  const float* a;
  const float* b;
  std::int64_t a_step, b_step;
  std::int64_t count;
  bool clamps;
  float low, high;  ///< with clamps; not-a-number passes
  float* y;
};

}  // namespace adze::kernels
