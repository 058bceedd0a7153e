#include "adze/engine/kernels/f32_plain.h"
#include "adze/engine/kernels/pool_f32/row.h"

namespace adze::kernels {

void pool_f32_ref(const PoolF32Call& call) {
  pool_row<F32Plain>(call);
}

}  // namespace adze::kernels
