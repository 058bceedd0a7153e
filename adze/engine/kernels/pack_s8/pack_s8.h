#pragma once

#include <span>

#include "adze/engine/isa.h"
#include "adze/engine/kernels/pack_s8/pack_s8_call.h"

namespace adze::kernels {

/// One line of pack_s8.def: what products of two activations do to their operands.
struct PackS8Kernel {
  const char* name;
  Isa isa;
  void (*pack)(const PackS8Call&);
  void (*row_terms)(const RowTermsCall&);
};
std::span<const PackS8Kernel> pack_s8_kernels();
/// The first kernel of the table that the instruction set allows.
const PackS8Kernel& pack_s8_kernel(Isa isa);

}  // namespace adze::kernels
