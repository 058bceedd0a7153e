#pragma once

#include <string>
#include <vector>

#include "adze/numerics/formats/format.h"

namespace adze {

/// A picture (SVG) of the values of formats of at most 8 bits: for each format a line from its negative to its positive
/// end, a mark for every code. Lines are drawn to the largest magnitude of each format, which is written at the end;
/// exponents of the values grow to both sides where linear marks would fall together (logarithmic = true).
struct NumberLineOptions {
  bool logarithmic = false;
  int width = 960;  ///< pixels
};
std::string number_lines_svg(const std::vector<std::string>& formats, const NumberLineOptions& options = {});

}  // namespace adze
