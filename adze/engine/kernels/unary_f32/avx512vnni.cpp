#include "adze/engine/kernels/f32_avx512.h"
#include "adze/engine/kernels/unary_f32/loops.h"

namespace adze::kernels {
namespace {

struct Functions : F32 {
  /// One step of Newton's method after 14 bits.
  static Vector reciprocal(Vector v) {
    const Vector first = _mm512_rcp14_ps(v);
    return _mm512_mul_ps(first, _mm512_fnmadd_ps(v, first, _mm512_set1_ps(2.0f)));
  }
  static Vector scale(Vector v, Vector n) { return _mm512_scalef_ps(v, n); }
  static Vector sqrt(Vector v) { return _mm512_sqrt_ps(v); }
};

}  // namespace

void unary_f32_avx512vnni(const UnaryF32Call& call) {
  run_unary<Functions>(call);
}

}  // namespace adze::kernels
