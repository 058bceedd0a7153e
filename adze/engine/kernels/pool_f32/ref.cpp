#include "adze/engine/kernels/pool_f32/row.h"

namespace adze::kernels {

namespace {

/// Vectors of one.
struct Plain {
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
  static Vector divide(Vector a, Vector b) { return a / b; }
  static Vector max(Vector a, Vector b) { return a > b ? a : b; }
};

}  // namespace

void pool_f32_ref(const PoolF32Call& call) {
  pool_row<Plain>(call);
}

}  // namespace adze::kernels
