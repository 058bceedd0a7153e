#pragma once

#include <cstdint>
#include <span>

#include "adze/engine/isa.h"
#include "adze/engine/kernels/peaks/peaks_call.h"
#include "adze/numerics/dtype.h"

namespace adze::kernels {

/// One line of peaks.def.
struct Peak {
  const char* name;
  Isa isa;
  DType dtype;
  std::int64_t macs;  ///< of one call
  PeakLoop run;
};
std::span<const Peak> peaks();

/// The best reading loop of the table that the instruction set allows.
ReadLoop read_loop(Isa isa);

}  // namespace adze::kernels
