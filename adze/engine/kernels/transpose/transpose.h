#pragma once

#include <span>

#include "adze/engine/isa.h"
#include "adze/engine/kernels/transpose/transpose_call.h"

namespace adze::kernels {

/// One line of transpose.def.
struct TransposeKernel {
  const char* name;
  Isa isa;
  void (*run)(const TransposeCall&, std::int64_t width);  ///< width: bytes of an element
};
std::span<const TransposeKernel> transpose_kernels();
/// The first kernel of the table that the instruction set allows.
const TransposeKernel& transpose_kernel(Isa isa);

}  // namespace adze::kernels
