#pragma once

#include <filesystem>
#include <string>

#include "adze/emit/c/emit.h"

namespace adze::testing {

/// Writes the emission into a fresh folder, compiles it with its test program and runs it: what it printed, or the
/// compiler's complaints.
struct Ran {
  int exit_code = -1;
  std::string output;
};
Ran compile_and_run(const emit::Emission& emission, const std::string& name,
                    const std::string& compiler = "cc -std=c99 -O1 -Wall -Wextra -Wconversion -Werror");
/// Only compiles each file.
Ran compile_only(const emit::Emission& emission, const std::string& compiler);

}  // namespace adze::testing
