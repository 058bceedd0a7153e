#include "adze/engine/kernels/f32_avx2.h"
#include "adze/engine/kernels/pool_f32/row.h"

namespace adze::kernels {

void pool_f32_avx2(const PoolF32Call& call) {
  pool_row<F32>(call);
}

}  // namespace adze::kernels
