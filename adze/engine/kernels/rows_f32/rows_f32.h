#pragma once

#include <span>

#include "adze/engine/isa.h"
#include "adze/engine/kernels/rows_f32/rows_f32_call.h"

namespace adze::kernels {

/// One line of rows_f32.def.
struct RowsF32Kernel {
  const char* name;
  Isa isa;
  double tolerance;
  SoftmaxF32 softmax;
  LayerNormF32 layer_norm;
};
std::span<const RowsF32Kernel> rows_f32_kernels();
/// The first kernel of the table that the instruction set allows.
const RowsF32Kernel& rows_f32_kernel(Isa isa);

}  // namespace adze::kernels
