#pragma once

#include <cstdint>
#include <vector>

#include "adze/quantize/method_options.h"
#include "adze/quantize/rounding_problem.h"

namespace adze::quantize {

/// Learns for each weight whether it goes up or down: w̃ = s·clip(⌊w/s⌋ + h(V), low, high) with the rectified sigmoid
/// h(V) = clip(1.2·σ(V) - 0.1, 0, 1), trained by Adam on the squared error of the outputs behind the activation, plus a
/// pull of h to 0 or 1, Σ 1 - |2h - 1|^β, whose β falls from 20 to 2 after a warm start. Targets come from the float
/// network's inputs, outputs from the quantized one's (asymmetric reconstruction). The pull is weighed against the
/// error that a weight's rounding causes on average, so that it does not depend on the size of activations.
/// Source  Nagel et al., Up or Down? Adaptive Rounding for Post-Training Quantization, arXiv:2004.10568, eq. 22-25
std::vector<float> adaround_codes(const RoundingProblem& problem, const AdaRoundOptions& options, std::uint64_t seed);

}  // namespace adze::quantize
