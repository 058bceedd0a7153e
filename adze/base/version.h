#pragma once

#include <string_view>

namespace adze {

/// "0.1.0"
std::string_view version();

}  // namespace adze
