#pragma once

#include <span>

#include "adze/engine/isa.h"
#include "adze/engine/kernels/sums_f32/sums_f32_call.h"

namespace adze::kernels {

/// One line of sums_f32.def.
struct SumsF32Kernel {
  const char* name;
  Isa isa;
  void (*run)(const SumsF32Call&);
};
std::span<const SumsF32Kernel> sums_f32_kernels();
/// The first kernel of the table that the instruction set allows.
const SumsF32Kernel& sums_f32_kernel(Isa isa);

}  // namespace adze::kernels
