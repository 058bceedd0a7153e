#pragma once

#include <cstdint>
#include <vector>

#include "adze/engine/kernels/binary_s8/binary_s8_call.h"

namespace adze::kernels {

/// The lines of a call whose operands, kind, repeat, y_scale and profile are set: integers of 24 bits that come close
/// to the defined formula, with a bound on how close. lines.shift is 0 where the bound is too wide to be of use, and
/// for products of two tensors.
struct LinesTable {
  LinesS8 lines;
  std::vector<std::int32_t> by_byte;  ///< what lines.by_byte points to
};
LinesTable make_lines(const BinaryS8Call& call);

}  // namespace adze::kernels
