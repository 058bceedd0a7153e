#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "adze/numerics/dtype.h"

namespace adze::reference::detail {

/// The shortest text that rounds to the same number in a float dtype, in NumPy's layout: "0.5", "1.0", "1e-05", "nan".
std::string float_text(DType dtype, double value);

/// The number a text stands for: decimal or scientific, with sign, or nan, inf, infinity in any case.
std::optional<double> parse_number(std::string_view text);

}  // namespace adze::reference::detail
