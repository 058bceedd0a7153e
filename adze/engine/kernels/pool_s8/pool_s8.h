#pragma once

#include <span>

#include "adze/engine/isa.h"
#include "adze/engine/kernels/pool_s8/pool_s8_call.h"

namespace adze::kernels {

/// One line of pool_s8.def.
struct PoolS8Kernel {
  const char* name;
  Isa isa;
  PoolS8Max max;
  PoolS8Sum sum;
};
std::span<const PoolS8Kernel> pool_s8_kernels();
/// The first kernel of the table that the instruction set allows.
const PoolS8Kernel& pool_s8_kernel(Isa isa);

}  // namespace adze::kernels
