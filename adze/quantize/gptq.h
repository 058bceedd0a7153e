#pragma once

#include <vector>

#include "adze/quantize/method_options.h"
#include "adze/quantize/rounding_problem.h"

namespace adze::quantize {

/// Codes column by column: after each input's weights are rounded, those of the inputs that follow are moved to make up
/// for the error, by the inverse of H = 2·XᵀX. Inputs that are always 0 get code 0, and so do
/// weights that are 0: those of pruned networks stay so. Updates are made at once, not in
/// blocks of columns: the result is the same.
/// Source  Frantar et al., GPTQ, arXiv:2210.17323, algorithm 1; order by the diagonal as in its authors' program
std::vector<float> gptq_codes(const RoundingProblem& problem, const GptqOptions& options);

/// H of one group: [inputs, inputs], 2/count · XᵀX, damped by a share of its mean diagonal; 1 on the diagonal where an
/// input is always 0.
std::vector<double> input_hessian(const LayerRows& rows, std::int64_t group, double damping);

}  // namespace adze::quantize
