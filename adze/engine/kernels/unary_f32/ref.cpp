#include <cmath>

#include "adze/engine/kernels/f32_plain.h"
#include "adze/engine/kernels/unary_f32/loops.h"

namespace adze::kernels {
namespace {

struct Functions : F32Plain {
  static Vector reciprocal(Vector v) { return 1.0f / v; }
  static Vector sqrt(Vector v) { return std::sqrt(v); }
};

}  // namespace

void unary_f32_ref(const UnaryF32Call& call) {
  run_unary<Functions>(call);
}

}  // namespace adze::kernels
