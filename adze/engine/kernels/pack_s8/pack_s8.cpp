#include "adze/engine/kernels/pack_s8/pack_s8.h"

#include "adze/base/error.h"

namespace adze::kernels {

#define ADZE_PACK_S8(name, isa) \
  void name(const PackS8Call&); \
  void name##_row_terms(const RowTermsCall&);
#include "adze/engine/kernels/pack_s8/pack_s8.def"
#undef ADZE_PACK_S8

std::span<const PackS8Kernel> pack_s8_kernels() {
  static const PackS8Kernel kernels[] = {
#define ADZE_PACK_S8(name, isa) {#name, Isa::isa, name, name##_row_terms},
#include "adze/engine/kernels/pack_s8/pack_s8.def"
#undef ADZE_PACK_S8
  };
  return kernels;
}

const PackS8Kernel& pack_s8_kernel(Isa isa) {
  for (const PackS8Kernel& kernel : pack_s8_kernels()) {
    if (isa_allows(isa, kernel.isa)) return kernel;
  }
  throw InternalError("pack_s8 has no plain kernel");
}

}  // namespace adze::kernels
