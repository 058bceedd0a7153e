#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "adze/engine/isa.h"
#include "adze/numerics/dtype.h"

namespace adze {

/// What one core of this machine can do at most, measured. The best of several short runs: other load makes it lower.
struct MachinePeaks {
  struct Arithmetic {
    DType dtype;             ///< of the operands
    std::string isa;         ///< "avx512vnni"
    double macs_per_second;  ///< multiply-accumulates; operations are twice as many
  };
  struct Memory {
    std::string level;        ///< "L1", "L2", "L3", "DRAM"
    std::int64_t bytes;       ///< of the working set it was measured with
    double read_per_second;   ///< bytes
    double write_per_second;  ///< bytes
  };
  std::vector<Arithmetic> arithmetic;  ///< all that the machine has, the best of a dtype first
  std::vector<Memory> memory;          ///< from the fastest

  /// The best for operands of this dtype under the cap; 0 for dtypes that are not measured. u8 counts as s8.
  double macs_per_second(DType dtype, Isa cap) const;
  /// Of the level that holds a working set of this size.
  double bytes_per_second(std::int64_t working_set) const;
};

/// Takes about a tenth of a second per figure at most 2 seconds in all; with_memory = false leaves the bandwidths out.
MachinePeaks measure_peaks(bool with_memory = true);

}  // namespace adze
