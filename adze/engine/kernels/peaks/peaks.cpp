#include "adze/engine/kernels/peaks/peaks.h"

namespace adze::kernels {

#define ADZE_PEAK(name, isa, dtype, macs) int name();
#include "adze/engine/kernels/peaks/peaks.def"
#undef ADZE_PEAK
#define ADZE_READ(name, isa) int name(const void*, long);
#include "adze/engine/kernels/peaks/peaks.def"
#undef ADZE_READ

std::span<const Peak> peaks() {
  static const Peak table[] = {
#define ADZE_PEAK(name, isa, dtype, macs) {#name, Isa::isa, DType::dtype, macs, name},
#include "adze/engine/kernels/peaks/peaks.def"
#undef ADZE_PEAK
  };
  return table;
}

ReadLoop read_loop(Isa isa) {
#define ADZE_READ(name, needs) \
  if (isa_allows(isa, Isa::needs)) return name;
#include "adze/engine/kernels/peaks/peaks.def"
#undef ADZE_READ
  return read_ref;
}

}  // namespace adze::kernels
