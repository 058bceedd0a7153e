#pragma once

#include <string>
#include <vector>

#include "cli/console.h"

namespace adze::cli {

/// adze inspect --format: what number formats can hold; with at most 8 bits all codes of a single format.
ExitCode inspect_formats(Console& console, const std::vector<std::string>& names, const std::string& picture,
                         bool logarithmic);

}  // namespace adze::cli
