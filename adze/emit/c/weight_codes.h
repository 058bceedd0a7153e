#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "adze/emit/c/pack.h"

namespace adze::emit {

/// Weights as adze_codes_s8 reads them: one stream of bits, the lowest first, row after row. Fewer values than 256 are
/// codes into a table (this covers 2- and 4-bit weights and codebooks of any size up to 128); zeros take a single bit
/// where that is shorter.
struct WeightCodes {
  int bits = 8;                     ///< of a code; 8: the weight itself, without table
  bool sparse = false;              ///< a bit before each weight says that it is not zero
  std::vector<std::int8_t> values;  ///< what the codes stand for
  std::vector<std::int8_t> stream;

  std::int64_t bytes() const { return std::ssize(stream) + std::ssize(values); }
};

/// The shortest form; nothing when plain bytes are not at least `gain` bytes longer.
std::optional<WeightCodes> weight_codes(const Rows& rows, std::int64_t gain);

}  // namespace adze::emit
