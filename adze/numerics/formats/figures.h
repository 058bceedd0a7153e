#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "adze/numerics/formats/format.h"

namespace adze {

/// What a format can hold, with its unit parameters.
struct FormatFigures {
  double lowest = 0, highest = 0;         ///< of the finite values
  double smallest = 0;                    ///< positive
  std::optional<double> epsilon;          ///< from 1 to the next larger value; nothing when there is none
  double range_db = 0;                    ///< of highest to smallest
  std::int64_t values = 0;                ///< finite values, each once; 0 above 16 bits
  std::int64_t infinities = 0, nans = 0;  ///< codes
};
FormatFigures format_figures(const NumberFormat& format);

/// The finite values of a format of at most 16 bits with its unit parameters, ascending, each once. Throws UsageError
/// for more bits.
std::vector<double> format_values(const NumberFormat& format);

}  // namespace adze
