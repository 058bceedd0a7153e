#pragma once

#include <vector>

#include "adze/quantize/mixed.h"
#include "cli/console.h"

namespace adze::cli {

/// What each width of each layer does to the outputs.
void print_curves(Console& console, const std::vector<quantize::LayerCurve>& curves);
/// What each layer's 4 bits do to the time, and what the choice takes.
void print_times(Console& console, const quantize::MixedOutcome& outcome);

}  // namespace adze::cli
