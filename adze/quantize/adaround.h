#pragma once

#include <cstdint>
#include <vector>

#include "adze/quantize/method_options.h"
#include "adze/quantize/rounding_problem.h"

namespace adze::quantize {

/// Learns for each weight whether it goes up or down (soft_rounding.h), by the squared error of the outputs behind the
/// activation. Targets come from the float
/// network's inputs, outputs from the quantized one's (asymmetric reconstruction). The pull is weighed against the
/// error that a weight's rounding causes on average, so that it does not depend on the size of activations.
/// Source  Nagel et al., Up or Down? Adaptive Rounding for Post-Training Quantization, arXiv:2004.10568, eq. 22-25
std::vector<float> adaround_codes(const RoundingProblem& problem, const AdaRoundOptions& options, std::uint64_t seed);

}  // namespace adze::quantize
