#pragma once

#include <cstdint>

namespace adze::kernels {
namespace {

/// Vectors of one: float kernels written once for all instruction sets, in plain C++.
struct F32Plain {
  using Vector = float;
  using Mask = bool;
  static constexpr int lanes = 1;
  static Mask inside(std::int64_t count) { return count > 0; }
  static Vector load(const float* p) { return *p; }
  static Vector load_some(const float* p, Mask) { return *p; }
  static void store(float* p, Vector v) { *p = v; }
  static void store_some(float* p, Vector v, Mask) { *p = v; }
  static Vector set(float value) { return value; }
  static Vector add(Vector a, Vector b) { return a + b; }
  static Vector subtract(Vector a, Vector b) { return a - b; }
  static Vector divide(Vector a, Vector b) { return a / b; }
  static Vector fma(Vector a, Vector b, Vector c) { return a * b + c; }
  static Vector max(Vector a, Vector b) { return a > b ? a : b; }
  static Vector clamp(Vector v, Vector low, Vector high) {
    const Vector above = low > v ? low : v;
    return high < above ? high : above;
  }
};

}  // namespace
}  // namespace adze::kernels
