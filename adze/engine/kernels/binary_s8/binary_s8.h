#pragma once

#include <span>

#include "adze/engine/isa.h"
#include "adze/engine/kernels/binary_s8/binary_s8_call.h"

namespace adze::kernels {

using BinaryS8 = void (*)(const BinaryS8Call&);

/// One line of binary_s8.def.
struct BinaryS8Kernel {
  const char* name;
  Isa isa;
  BinaryS8 run;
};
std::span<const BinaryS8Kernel> binary_s8_kernels();
/// The first kernel of the table that the instruction set allows.
const BinaryS8Kernel& binary_s8_kernel(Isa isa);

}  // namespace adze::kernels
