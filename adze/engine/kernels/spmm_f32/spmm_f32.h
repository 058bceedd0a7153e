#pragma once

#include <span>

#include "adze/engine/isa.h"
#include "adze/engine/kernels/spmm_f32/spmm_f32_call.h"

namespace adze::kernels {

using SpmmF32 = void (*)(const SpmmF32Call&);

/// One line of spmm_f32.def.
struct SpmmF32Kernel {
  const char* name;
  Isa isa;
  std::int64_t lanes;
  std::int64_t most_single, most_blocks;  ///< vectors of rows
  double single_time, block_time;         ///< of a product of a vector; the dense kernel's is 0.68
  double tolerance;                       ///< |y - reference| <= tolerance * (1 + sum of |x * w|)
  SpmmF32 run;

  std::int64_t most_vectors(std::int64_t block) const { return block == 1 ? most_single : most_blocks; }
};
std::span<const SpmmF32Kernel> spmm_f32_kernels();
/// The first kernel of the table that the instruction set allows.
const SpmmF32Kernel& spmm_f32_kernel(Isa isa);

}  // namespace adze::kernels
