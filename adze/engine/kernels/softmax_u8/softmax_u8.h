#pragma once

#include <span>

#include "adze/engine/isa.h"
#include "adze/engine/kernels/softmax_u8/softmax_u8_call.h"

namespace adze::kernels {

using SoftmaxU8 = void (*)(const SoftmaxU8Call&);

/// One line of softmax_u8.def.
struct SoftmaxU8Kernel {
  const char* name;
  Isa isa;
  SoftmaxU8 run;
};
std::span<const SoftmaxU8Kernel> softmax_u8_kernels();
/// The first kernel of the table that the instruction set allows.
const SoftmaxU8Kernel& softmax_u8_kernel(Isa isa);

}  // namespace adze::kernels
