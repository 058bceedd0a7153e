#pragma once

#include <cstdint>
#include <span>

#include "adze/engine/isa.h"
#include "adze/engine/kernels/add_s8/add_s8_call.h"

namespace adze::kernels {

using AddS8 = void (*)(const AddS8Call&);

/// One line of add_s8.def.
struct AddS8Kernel {
  const char* name;
  Isa isa;
  AddS8 run;
};
std::span<const AddS8Kernel> add_s8_kernels();
/// The first kernel of the table that the instruction set allows.
const AddS8Kernel& add_s8_kernel(Isa isa);

}  // namespace adze::kernels
