#include "adze/quantize/gptq.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "adze/base/error.h"
#include "adze/base/progress.h"
#include "adze/base/threads.h"
#include "adze/engine/isa.h"
#include "adze/engine/kernels/gemm_f32/gemm_f32.h"
#include "adze/quantize/cholesky.h"

namespace adze::quantize {

namespace {

/// The columns in the order in which they are rounded.
std::vector<std::size_t> order_of(const std::vector<double>& hessian, std::size_t n, bool by_activity) {
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (by_activity) {
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return hessian[a * n + a] > hessian[b * n + b]; });
  }
  return order;
}

std::vector<double> permuted(const std::vector<double>& hessian, const std::vector<std::size_t>& order) {
  const std::size_t n = order.size();
  std::vector<double> result(hessian.size());
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) result[i * n + j] = hessian[order[i] * n + order[j]];
  }
  return result;
}

}  // namespace

std::vector<double> input_hessian(const LayerRows& rows, std::int64_t group, double damping) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  constexpr std::int64_t chunk = 2048;  // summed in float, then in double
  const std::int64_t n = rows.inputs;
  std::vector<double> hessian(static_cast<std::size_t>(n * n), 0.0);
  std::vector<float> part(hessian.size()), transposed;
  for (std::int64_t first = 0; first < rows.count; first += chunk) {
    check_cancelled();
    const std::int64_t count = std::min(chunk, rows.count - first);
    transposed.resize(static_cast<std::size_t>(n * count));
    for (std::int64_t row = 0; row < count; ++row) {
      for (std::int64_t i = 0; i < n; ++i) {
        transposed[static_cast<std::size_t>(i * count + row)] = rows.row(group, first + row)[i];
      }
    }
    const kernels::GemmF32Shape shape{1, n, count, n, -infinity, infinity};
    kernels::make_gemm_f32(shape, machine_isa())->run(transposed.data(), rows.row(group, first), part.data());
    for (std::size_t i = 0; i < hessian.size(); ++i) hessian[i] += part[i];
  }
  double mean = 0;
  const double factor = rows.count > 0 ? 2.0 / static_cast<double>(rows.count) : 0;
  for (double& value : hessian) value *= factor;
  for (std::int64_t i = 0; i < n; ++i) {
    double& diagonal = hessian[static_cast<std::size_t>(i * n + i)];
    if (diagonal == 0) diagonal = 1;
    mean += diagonal / static_cast<double>(n);
  }
  for (std::int64_t i = 0; i < n; ++i) hessian[static_cast<std::size_t>(i * n + i)] += damping * mean;
  return hessian;
}

namespace {

/// The factor and the order of its columns. Damps harder until there is one: inputs that are sums of others leave H
/// singular but for the damping. H is made anew then; a copy would be as large.
std::vector<double> factor_of(const LayerRows& rows, std::int64_t group, const GptqOptions& options,
                              std::vector<std::size_t>& order) {
  const auto n = static_cast<std::size_t>(rows.inputs);
  for (double extra = 0; extra < 100; extra = extra == 0 ? 0.01 : extra * 10) {
    std::vector<double> hessian = input_hessian(rows, group, options.damping);
    order = order_of(hessian, n, options.by_activity);
    if (options.by_activity) hessian = permuted(hessian, order);
    double mean = 0;
    for (std::size_t i = 0; i < n; ++i) mean += hessian[i * n + i] / static_cast<double>(n);
    for (std::size_t i = 0; i < n; ++i) hessian[i * n + i] += extra * mean;
    if (inverse_upper_factor(hessian, rows.inputs)) return hessian;
  }
  throw ModelError("GPTQ: the inputs of a layer hold values too large or not finite");
}

}  // namespace

std::vector<float> gptq_codes(const RoundingProblem& problem, const GptqOptions& options) {
  const auto n = static_cast<std::size_t>(problem.inputs);
  std::vector<float> codes(problem.weights.size());
  for (std::int64_t group = 0; group < problem.groups; ++group) {
    std::vector<bool> idle(n, true);
    for (std::int64_t row = 0; row < problem.rows->count; ++row) {
      for (std::size_t i = 0; i < n; ++i) idle[i] = idle[i] && problem.rows->row(group, row)[i] == 0;
    }
    std::vector<std::size_t> order;
    const std::vector<double> factor = factor_of(*problem.rows, group, options, order);
    parallel_for(problem.outputs, 4, [&](std::int64_t begin, std::int64_t end) {
      std::vector<double> weights(n);
      for (std::int64_t output = begin; output < end; ++output) {
        for (std::size_t i = 0; i < n; ++i) {
          weights[i] = problem.weights[problem.at(group, static_cast<std::int64_t>(order[i]), output)];
        }
        for (std::size_t i = 0; i < n; ++i) {
          const std::size_t at = problem.at(group, static_cast<std::int64_t>(order[i]), output);
          const double scale = problem.scales[at];
          const double wanted = idle[order[i]] ? 0 : weights[i];
          const bool pruned = problem.weights[at] == 0;  // stays 0; the others make up for it as for any error
          const double code =
              pruned ? 0 : std::clamp<double>(std::nearbyint(wanted / scale), problem.low, problem.high);
          codes[at] = static_cast<float>(code);
          if (idle[order[i]]) continue;
          const double error = (wanted - code * scale) / factor[i * n + i];
          const double* row = factor.data() + i * n;
          for (std::size_t j = i + 1; j < n; ++j) weights[j] -= error * row[j];
        }
      }
    });
  }
  return codes;
}

}  // namespace adze::quantize
