#pragma once

#include "adze/graph/graph.h"
#include "adze/numerics/requantize.h"

namespace adze {

/// The graph's integer rounding profile: metadata "adze.rounding", onnx when absent. ModelError for another word.
RoundingProfile rounding_profile(const Graph& graph);

/// Turns every DequantizeLinear → operator (→ Relu / Clip) → QuantizeLinear group of a QDQ graph into one integer
/// operator of domain adze (graph/ops/adze.def), or lets movement operators work on the quantized tensor itself, in the
/// graph's rounding profile. Quantized values keep their names. A group that cannot be lowered stays as it is, in
/// float: that is always right, only slower. Nothing depends on the batch size.
Graph lower_integers(Graph graph);

}  // namespace adze
