#pragma once

#include "adze/graph/graph.h"

namespace adze::quantize {

/// Stores the s8 codes of layers that need no more than 4 bits as s4, two to a byte: exact; scales stay. Returns how
/// many tensors were packed.
int pack_codes(Graph& quantized);

}  // namespace adze::quantize
