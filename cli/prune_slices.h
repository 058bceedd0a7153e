#pragma once

#include "adze/evaluate/slices.h"
#include "cli/console.h"

namespace adze::cli {

/// Accuracy by class and group before and after, and what is newly wrong: tables and JSON.
void show_slices(Console& console, const SliceComparison& comparison, const Dataset& dataset);

}  // namespace adze::cli
