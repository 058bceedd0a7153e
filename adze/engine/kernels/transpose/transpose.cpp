#include "adze/engine/kernels/transpose/transpose.h"

#include "adze/base/error.h"

namespace adze::kernels {

#define ADZE_TRANSPOSE(name, isa) void name(const TransposeCall&, std::int64_t);
#include "adze/engine/kernels/transpose/transpose.def"
#undef ADZE_TRANSPOSE

std::span<const TransposeKernel> transpose_kernels() {
  static const TransposeKernel kernels[] = {
#define ADZE_TRANSPOSE(name, isa) {#name, Isa::isa, name},
#include "adze/engine/kernels/transpose/transpose.def"
#undef ADZE_TRANSPOSE
  };
  return kernels;
}

const TransposeKernel& transpose_kernel(Isa isa) {
  for (const TransposeKernel& kernel : transpose_kernels()) {
    if (isa_allows(isa, kernel.isa)) return kernel;
  }
  throw InternalError("transpose has no plain kernel");
}

}  // namespace adze::kernels
