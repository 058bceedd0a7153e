#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "adze/quantize/options.h"

namespace adze::quantize {

/// int8, int8-dynamic, int8-weights, int4-g32, w4a8, mixed, fp8, ternary, binary.
const std::vector<std::string>& preset_names();

/// One line on what a preset does, for help texts.
std::string_view preset_summary(std::string_view name);

/// Sets mode, bits and blocks as the preset has them, and GPTQ where the preset has 4 bits and no other rounding was
/// asked for. The rest of the options stays. Throws UsageError with the nearest name.
void apply_preset(std::string_view name, PtqOptions& options);

}  // namespace adze::quantize
