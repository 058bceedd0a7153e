#pragma once

#include <optional>
#include <vector>

#include "adze/quantize/mixed.h"
#include "cli/console.h"

namespace adze::cli {

/// The widths of all curves, ascending.
std::vector<int> widths_of(const std::vector<quantize::LayerCurve>& curves);
std::optional<double> damage_at(const quantize::LayerCurve& curve, int bits);

/// What each width of each layer does to the outputs.
void print_curves(Console& console, const std::vector<quantize::LayerCurve>& curves);
/// What each layer's widths do to the time, and what the choice takes.
void print_times(Console& console, const quantize::MixedOutcome& outcome);

}  // namespace adze::cli
