#pragma once

#include <span>

#include "adze/engine/isa.h"
#include "adze/engine/kernels/resize_u8/resize_u8_call.h"

namespace adze::kernels {

/// One line of resize_u8.def.
struct ResizeU8Kernel {
  const char* name;
  Isa isa;
  void (*down)(const ResizeDownCall&);
  void (*across)(const ResizeAcrossCall&);
};
std::span<const ResizeU8Kernel> resize_u8_kernels();
/// The first kernel of the table that the instruction set allows.
const ResizeU8Kernel& resize_u8_kernel(Isa isa);

}  // namespace adze::kernels
