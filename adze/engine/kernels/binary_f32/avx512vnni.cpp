#include "adze/engine/kernels/binary_f32/row.h"
#include "adze/engine/kernels/f32_avx512.h"

namespace adze::kernels {

void binary_f32_avx512vnni(const BinaryF32Call& call) {
  binary_row<F32>(call);
}

}  // namespace adze::kernels
