#pragma once

#include <string>
#include <vector>

#include "adze/base/progress.h"
#include "adze/graph/graph.h"
#include "adze/quantize/calibration.h"
#include "adze/quantize/options.h"

namespace adze::quantize {

/// What activation-aware scaling made of one group of layers that read the same value.
struct AwqInput {
  std::vector<std::string> layers;
  double ratio = 0;          ///< the exponent that was chosen; 0: no factors
  double plain_error = 0;    ///< mean squared output error of all its layers with nearest codes
  double error = 0;          ///< with the factors
  double clipped_error = 0;  ///< and with clipped weights
};

struct AwqReport {
  std::vector<AwqInput> inputs;
  std::vector<std::string> left;  ///< layers whose inputs no operator before can scale: clipped alone
};

/// Protects the weights that matter by scaling: s = (mean |X|)^r a channel, normalized, with r out of 20 steps from 0
/// to 1 by the layers' output error under quantization; factors go into the layer norm (or other giver) before. Then
/// every output's weights (block by block, where scales are) are cut off where this lowers the output error, in 10
/// steps down to half their largest; not where codes are chosen by AdaRound or GPTQ afterwards.
/// Weights are quantized as options say while searching: their bits, and blocks with WeightOnly.
/// Source  Lin et al., AWQ, arXiv:2306.00978, section 3.2 and appendix; grid and clip as in its authors' program
AwqReport activation_aware_scaling(Graph& graph, const PtqOptions& options, const CalibrationData& data,
                                   ProgressSink& progress);

}  // namespace adze::quantize
