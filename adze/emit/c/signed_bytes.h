#pragma once

#include "adze/graph/graph.h"

namespace adze::emit {

/// A lowered graph whose u8 activations have become s8 ones, 128 less, zero points and clamps with them: kernels then
/// know one type of byte. Inputs and outputs change too: their callers turn the highest bit. QAveragePool nodes carry
/// "raw_offset" = 128 where their rounding looks at the numbers as they were.
Graph with_signed_bytes(Graph lowered);

}  // namespace adze::emit
