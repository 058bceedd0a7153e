#include "adze/engine/kernels/table_u8/table_u8.h"

#include "adze/base/error.h"

namespace adze::kernels {

#define ADZE_TABLE_U8(name, isa) void name(const std::uint8_t*, std::int64_t, const std::uint8_t*, std::uint8_t*);
#include "adze/engine/kernels/table_u8/table_u8.def"
#undef ADZE_TABLE_U8

std::span<const TableU8Kernel> table_u8_kernels() {
  static const TableU8Kernel kernels[] = {
#define ADZE_TABLE_U8(name, isa) {#name, Isa::isa, name},
#include "adze/engine/kernels/table_u8/table_u8.def"
#undef ADZE_TABLE_U8
  };
  return kernels;
}

const TableU8Kernel& table_u8_kernel(Isa isa) {
  for (const TableU8Kernel& kernel : table_u8_kernels()) {
    if (isa_allows(isa, kernel.isa)) return kernel;
  }
  throw InternalError("table_u8 has no plain kernel");
}

}  // namespace adze::kernels
