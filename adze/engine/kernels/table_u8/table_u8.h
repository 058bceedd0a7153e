#pragma once

#include <cstdint>
#include <span>

#include "adze/engine/isa.h"

namespace adze::kernels {

/// y[i] = table[x[i]] of count bytes; table: 256 entries; y may be x.
using TableU8 = void (*)(const std::uint8_t* x, std::int64_t count, const std::uint8_t* table, std::uint8_t* y);

/// One line of table_u8.def.
struct TableU8Kernel {
  const char* name;
  Isa isa;
  TableU8 run;
};
std::span<const TableU8Kernel> table_u8_kernels();
/// The first kernel of the table that the instruction set allows.
const TableU8Kernel& table_u8_kernel(Isa isa);

}  // namespace adze::kernels
