#include "adze/engine/kernels/rows_f32/rows_f32.h"

#include "adze/base/error.h"

namespace adze::kernels {

#define ADZE_ROWS_F32(name, isa, tolerance)      \
  void name##_softmax(const RowsF32Call&, bool); \
  void name##_layer_norm(const RowsF32Call&, const float*, const float*, float);
#include "adze/engine/kernels/rows_f32/rows_f32.def"
#undef ADZE_ROWS_F32

std::span<const RowsF32Kernel> rows_f32_kernels() {
  static const RowsF32Kernel kernels[] = {
#define ADZE_ROWS_F32(name, isa, tolerance) {#name, Isa::isa, tolerance, name##_softmax, name##_layer_norm},
#include "adze/engine/kernels/rows_f32/rows_f32.def"
#undef ADZE_ROWS_F32
  };
  return kernels;
}

const RowsF32Kernel& rows_f32_kernel(Isa isa) {
  for (const RowsF32Kernel& kernel : rows_f32_kernels()) {
    if (isa_allows(isa, kernel.isa)) return kernel;
  }
  throw InternalError("rows_f32 has no plain kernel");
}

}  // namespace adze::kernels
