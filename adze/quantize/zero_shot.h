#pragma once

#include <span>

#include "adze/graph/graph.h"
#include "adze/quantize/calibration.h"

namespace adze::quantize {

/// Observations without data: every value is taken for normally distributed channel by channel, with mean and deviation
/// as noted at layers (batch norms, channel_statistics.h), cut off by the Relu or Clip that follows, and carried
/// through sums, pools, movement and layers without notes as if channels were independent. Graph inputs lie in the
/// range that their preprocessing makes of 0 … 255 ("adze.preprocessing"), evenly. Six deviations on either side count
/// as seen, so that the calibrator "max" gives the paper's range.
/// Throws UnsupportedError naming the first operator behind which nothing is known.
/// Source  Nagel et al., Data-Free Quantization, 2019, section 5: ranges β ± 6γ
Observations observations_from_statistics(const Graph& graph, std::span<const ValueId> values);

}  // namespace adze::quantize
