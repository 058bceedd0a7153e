#pragma once

#include <span>

#include "adze/engine/isa.h"
#include "adze/engine/kernels/pool_f32/pool_f32_call.h"

namespace adze::kernels {

using PoolF32 = void (*)(const PoolF32Call&);

/// One line of pool_f32.def.
struct PoolF32Kernel {
  const char* name;
  Isa isa;
  PoolF32 run;
};
std::span<const PoolF32Kernel> pool_f32_kernels();
/// The first kernel of the table that the instruction set allows.
const PoolF32Kernel& pool_f32_kernel(Isa isa);

}  // namespace adze::kernels
