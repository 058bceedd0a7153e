#pragma once

#include <cstdint>
#include <span>

#include "adze/engine/isa.h"

namespace adze::kernels {

/// y[p * planes + c] = x[c * count + p] of count bytes a plane: a picture [C, H, W] as [H, W, C].
using InterleaveU8 = void (*)(const std::uint8_t* x, std::int64_t planes, std::int64_t count, std::uint8_t* y);

/// One line of interleave.def.
struct InterleaveKernel {
  const char* name;
  Isa isa;
  InterleaveU8 run;
};
std::span<const InterleaveKernel> interleave_kernels();
/// The first kernel of the table that the instruction set allows.
const InterleaveKernel& interleave_kernel(Isa isa);

}  // namespace adze::kernels
