#pragma once

#include <optional>
#include <string>
#include <vector>

#include "adze/base/progress.h"
#include "adze/graph/graph.h"
#include "adze/quantize/blocks.h"
#include "adze/quantize/calibration.h"
#include "adze/quantize/options.h"

namespace adze::quantize {

/// What block reconstruction made of one block: mean squared error of its output over the samples that it looked at.
struct BlockRounding {
  std::vector<std::string> layers;
  double nearest_error = 0, error = 0;
  std::int64_t changed = 0, weights = 0;  ///< codes that differ from the nearest, of how many
};

/// Learns the rounding of all layers of a block together, so that the block's output over the quantized network's
/// inputs is near the float network's: soft roundings as in AdaRound, differentiated through the whole block by the
/// training plug-in. Inner activations stay float meanwhile. Codes that do not lower the error are not taken.
/// Nothing where a layer's weights are no codes of its own, or an operator cannot be differentiated.
/// Source  Li et al., BRECQ: Pushing the Limit of Post-Training Quantization by Block Reconstruction, arXiv:2102.05426
std::optional<BlockRounding> round_block(const Graph& exact, Graph& quantized, const Block& block,
                                         const PtqOptions& options, const CalibrationData& data);

}  // namespace adze::quantize
