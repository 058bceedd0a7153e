#pragma once

#include "adze/quantize/placement.h"
#include "adze/quantize/ptq.h"

namespace adze::quantize {

/// Puts quantizers as placed, with ranges from the observations. Steps of quantize_observed().
QuantizeOutcome insert_quantizers(Graph graph, const Placement& placement, const Observations& observations,
                                  const PtqOptions& options);

/// DynamicQuantizeLinear → ConvInteger or MatMulInteger → scale and bias, for every layer with constant weights.
QuantizeOutcome quantize_dynamic(Graph graph, const PtqOptions& options);

/// DequantizeLinear on the stored weights of layers, recurrent layers and embeddings.
QuantizeOutcome quantize_weights_only(Graph graph, const PtqOptions& options);

}  // namespace adze::quantize
