#pragma once

#include "adze/prune/staircase.h"
#include "cli/console.h"

namespace adze::cli {

/// What a network costs in this machine's engine on one thread: the sum over its steps of the least time that each
/// took, in microseconds.
prune::NetworkCost engine_cost(const Console& console);

/// Instructions of its C code under emulation, quantized to int8 with ranges of random inputs: the shapes decide, not
/// the numbers. Throws UnsupportedError where the tools are missing.
prune::NetworkCost device_cost(const Console& console, const std::string& device);

/// Tables, JSON and, for a file name, a drawing (SVG) of staircases.
void show_staircases(Console& console, const std::vector<std::string>& names,
                     const std::vector<prune::Staircase>& staircases, std::string_view unit,
                     const std::string& drawing);

}  // namespace adze::cli
