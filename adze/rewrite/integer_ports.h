#pragma once

#include "adze/graph/graph.h"

namespace adze::rewrite {

/// Inputs that are only quantized become the quantized bytes, outputs that were dequantized last the bytes before that:
/// the caller holds integers and no float copy of a picture is kept. Per-tensor scales of 8 or 16 bits only; what does
/// not fit stays float. The names stay. Returns how many inputs and outputs changed.
int use_integer_ports(Graph& graph);

}  // namespace adze::rewrite
