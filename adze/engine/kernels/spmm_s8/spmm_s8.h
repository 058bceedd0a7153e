#pragma once

#include <span>

#include "adze/engine/isa.h"
#include "adze/engine/kernels/spmm_s8/spmm_s8_call.h"

namespace adze::kernels {

using SpmmS8 = void (*)(const SpmmS8Call&);

/// One line of spmm_s8.def.
struct SpmmS8Kernel {
  const char* name;
  Isa isa;
  SpmmS8 run;
};
std::span<const SpmmS8Kernel> spmm_s8_kernels();
/// The first kernel of the table that the instruction set allows.
const SpmmS8Kernel& spmm_s8_kernel(Isa isa);

}  // namespace adze::kernels
