#include "adze/engine/kernels/add_s8/add_s8.h"

#include "adze/base/error.h"

namespace adze::kernels {

#define ADZE_ADD_S8(name, isa) void name(const AddS8Call&);
#include "adze/engine/kernels/add_s8/add_s8.def"
#undef ADZE_ADD_S8

std::span<const AddS8Kernel> add_s8_kernels() {
  static const AddS8Kernel kernels[] = {
#define ADZE_ADD_S8(name, isa) {#name, Isa::isa, name},
#include "adze/engine/kernels/add_s8/add_s8.def"
#undef ADZE_ADD_S8
  };
  return kernels;
}

const AddS8Kernel& add_s8_kernel(Isa isa) {
  for (const AddS8Kernel& kernel : add_s8_kernels()) {
    if (isa_allows(isa, kernel.isa)) return kernel;
  }
  throw InternalError("add_s8 has no plain kernel");
}

}  // namespace adze::kernels
