#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "adze/quantize/layer_rows.h"
#include "adze/quantize/weight_layout.h"

namespace adze::quantize {

/// One layer whose codes are to be chosen: w̃ = scale · code with low ≤ code ≤ high, so that the outputs over the
/// quantized network's inputs are near the wanted ones. Matrices are [groups, inputs, outputs].
struct RoundingProblem {
  std::int64_t groups = 1, inputs = 0, outputs = 0;
  std::vector<float> weights;  ///< in float
  std::vector<float> scales;   ///< of each weight
  float low = -127, high = 127;
  std::vector<float> bias;          ///< [groups · outputs] as the quantized layer adds it
  const LayerRows* rows = nullptr;  ///< of the quantized network
  std::vector<float> targets;       ///< outputs of the float layer at the same rows, [groups, count, outputs]
  /// The activation that follows: errors outside do not count.
  float activation_low = -std::numeric_limits<float>::infinity();
  float activation_high = std::numeric_limits<float>::infinity();

  std::size_t at(std::int64_t group, std::int64_t input, std::int64_t output) const {
    return static_cast<std::size_t>((group * inputs + input) * outputs + output);
  }
};

/// Nearest codes.
std::vector<float> nearest_codes(const RoundingProblem& problem);

/// Outputs [groups, count, outputs] of weights [groups, inputs, outputs] at rows.
std::vector<float> layer_outputs(const LayerRows& rows, const std::vector<float>& weights, std::int64_t outputs,
                                 const std::vector<float>& bias);

/// Mean squared error of the outputs behind the activation.
double reconstruction_error(const RoundingProblem& problem, const std::vector<float>& codes);

}  // namespace adze::quantize
