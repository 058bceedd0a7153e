#pragma once

#include <span>

#include "adze/engine/isa.h"
#include "adze/engine/kernels/unary_f32/unary_f32_call.h"

namespace adze::kernels {

using UnaryF32 = void (*)(const UnaryF32Call&);

/// One line of unary_f32.def.
struct UnaryF32Kernel {
  const char* name;
  Isa isa;
  double tolerance;
  UnaryF32 run;
};
std::span<const UnaryF32Kernel> unary_f32_kernels();
/// The first kernel of the table that the instruction set allows.
const UnaryF32Kernel& unary_f32_kernel(Isa isa);

}  // namespace adze::kernels
