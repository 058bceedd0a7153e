#include "adze/engine/kernels/f32_avx512_functions.h"
#include "adze/engine/kernels/unary_f32/loops.h"

namespace adze::kernels {

void unary_f32_avx512vnni(const UnaryF32Call& call) {
  run_unary<F32Functions>(call);
}

}  // namespace adze::kernels
