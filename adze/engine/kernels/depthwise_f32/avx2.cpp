#include "adze/engine/kernels/depthwise_f32/row.h"
#include "adze/engine/kernels/f32_avx2.h"

namespace adze::kernels {

void depthwise_f32_avx2(const DepthwiseF32Call& call) {
  depthwise_row<F32>(call);
}

}  // namespace adze::kernels
