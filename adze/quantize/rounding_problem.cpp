#include "adze/quantize/rounding_problem.h"

#include <algorithm>
#include <cmath>

#include "adze/engine/isa.h"
#include "adze/engine/kernels/gemm_f32/gemm_f32.h"

namespace adze::quantize {

std::vector<float> nearest_codes(const RoundingProblem& problem) {
  std::vector<float> codes(problem.weights.size());
  for (std::size_t i = 0; i < codes.size(); ++i) {
    codes[i] = std::clamp(std::nearbyintf(problem.weights[i] / problem.scales[i]), problem.low, problem.high);
  }
  return codes;
}

std::vector<float> layer_outputs(const LayerRows& rows, const std::vector<float>& weights, std::int64_t outputs,
                                 const std::vector<float>& bias) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  std::vector<float> result(static_cast<std::size_t>(rows.groups * rows.count * outputs));
  kernels::GemmF32Shape shape{rows.groups, rows.count, rows.inputs, outputs, -infinity, infinity};
  kernels::make_gemm_f32(shape, machine_isa())->run(rows.values.data(), weights.data(), result.data());
  if (bias.empty()) return result;
  for (std::int64_t group = 0; group < rows.groups; ++group) {
    const float* offsets = bias.data() + group * outputs;
    float* at = result.data() + group * rows.count * outputs;
    for (std::int64_t row = 0; row < rows.count; ++row) {
      for (std::int64_t output = 0; output < outputs; ++output) *at++ += offsets[output];
    }
  }
  return result;
}

double reconstruction_error(const RoundingProblem& problem, const std::vector<float>& codes) {
  std::vector<float> weights(codes.size());
  for (std::size_t i = 0; i < codes.size(); ++i) weights[i] = codes[i] * problem.scales[i];
  const std::vector<float> found = layer_outputs(*problem.rows, weights, problem.outputs, problem.bias);
  double sum = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double error = static_cast<double>(std::clamp(found[i], problem.activation_low, problem.activation_high)) -
                         std::clamp(problem.targets[i], problem.activation_low, problem.activation_high);
    sum += error * error;
  }
  return found.empty() ? 0 : sum / static_cast<double>(found.size());
}

}  // namespace adze::quantize
