#pragma once

#include "adze/graph/graph.h"
#include "adze/quantize/bits.h"

namespace adze::quantize {

/// Stores the codes of layers of at most 4 bits (widths: of the float graph the layers come from) as s4, two to a byte,
/// where they fit: exact; scales stay. Returns how many tensors were packed.
int pack_codes(Graph& quantized, const Graph& exact, const LayerWidths& widths);

}  // namespace adze::quantize
