#pragma once

#include <optional>
#include <string_view>

#include "adze/engine/isa.h"

namespace adze::peers {

/// How many times faster than ONNX Runtime a network shall run with one thread; nothing for others.
std::optional<double> target_ratio(std::string_view network, std::string_view precision, Isa isa);

}  // namespace adze::peers
