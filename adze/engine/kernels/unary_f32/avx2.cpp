#include "adze/engine/kernels/f32_avx2.h"
#include "adze/engine/kernels/unary_f32/loops.h"

namespace adze::kernels {
namespace {

struct Functions : F32 {
  static Vector reciprocal(Vector v) { return _mm256_div_ps(_mm256_set1_ps(1.0f), v); }
  static Vector sqrt(Vector v) { return _mm256_sqrt_ps(v); }
};

}  // namespace

void unary_f32_avx2(const UnaryF32Call& call) {
  run_unary<Functions>(call);
}

}  // namespace adze::kernels
