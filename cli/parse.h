#pragma once

#include <string>
#include <vector>

#include "adze/base/error.h"

namespace adze::cli {

/// Parses the words after the program's name, runs the verb, prints its result. Throws adze::Error.
ExitCode run_command(const std::vector<std::string>& words);

}  // namespace adze::cli
