#include "adze/engine/kernels/binary_f32/row.h"
#include "adze/engine/kernels/f32_plain.h"

namespace adze::kernels {

void binary_f32_ref(const BinaryF32Call& call) {
  binary_row<F32Plain>(call);
}

}  // namespace adze::kernels
