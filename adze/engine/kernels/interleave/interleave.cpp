#include "adze/engine/kernels/interleave/interleave.h"

#include "adze/base/error.h"

namespace adze::kernels {

#define ADZE_INTERLEAVE(name, isa) void name(const std::uint8_t*, std::int64_t, std::int64_t, std::uint8_t*);
#include "adze/engine/kernels/interleave/interleave.def"
#undef ADZE_INTERLEAVE

std::span<const InterleaveKernel> interleave_kernels() {
  static const InterleaveKernel kernels[] = {
#define ADZE_INTERLEAVE(name, isa) {#name, Isa::isa, name},
#include "adze/engine/kernels/interleave/interleave.def"
#undef ADZE_INTERLEAVE
  };
  return kernels;
}

const InterleaveKernel& interleave_kernel(Isa isa) {
  for (const InterleaveKernel& kernel : interleave_kernels()) {
    if (isa_allows(isa, kernel.isa)) return kernel;
  }
  throw InternalError("interleave has no plain kernel");
}

}  // namespace adze::kernels
