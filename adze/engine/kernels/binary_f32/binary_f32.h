#pragma once

#include <span>

#include "adze/engine/isa.h"
#include "adze/engine/kernels/binary_f32/binary_f32_call.h"

namespace adze::kernels {

using BinaryF32 = void (*)(const BinaryF32Call&);

/// One line of binary_f32.def.
struct BinaryF32Kernel {
  const char* name;
  Isa isa;
  BinaryF32 run;
};
std::span<const BinaryF32Kernel> binary_f32_kernels();
/// The first kernel of the table that the instruction set allows.
const BinaryF32Kernel& binary_f32_kernel(Isa isa);

}  // namespace adze::kernels
