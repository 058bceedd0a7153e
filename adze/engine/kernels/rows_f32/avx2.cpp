#include "adze/engine/kernels/f32_avx2.h"
#include "adze/engine/kernels/rows_f32/loops.h"

namespace adze::kernels {

void rows_f32_avx2_softmax(const RowsF32Call& call, bool logarithm) {
  run_softmax<F32>(call, logarithm);
}

void rows_f32_avx2_layer_norm(const RowsF32Call& call, const float* scale, const float* bias, float epsilon) {
  run_layer_norm<F32>(call, scale, bias, epsilon);
}

}  // namespace adze::kernels
