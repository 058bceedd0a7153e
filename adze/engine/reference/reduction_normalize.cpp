// Operators that scale elements by a reduction of their group: softmax and norms. Computed in double.
#include <cmath>
#include <limits>

#include "adze/engine/reference/detail/reduction.h"

namespace adze::reference::detail {

namespace {

ReductionPlan plan_of_axis(const Context& context) {
  const Tensor& input = context.input(0);
  return plan_reduction(input.shape(), {normalize_axis(context.node().get_int("axis"), input.rank())}, true);
}

/// Replaces each element by f(element, what its group has).
template <typename F>
void map_groups(const ReductionPlan& plan, std::vector<double>& elements, F f) {
  auto walk = plan.walk();
  for (double& element : elements) {
    element = f(element, static_cast<std::size_t>(walk.offset()));
    walk.next();
  }
}

std::vector<double> per_group(const ReductionPlan& plan, double start) {
  return std::vector<double>(static_cast<std::size_t>(num_elements(plan.kept)), start);
}

/// exp(x - m) / Σ exp(x - m), or its logarithm, with m the largest of the group.
void run_softmax_form(Context& context, bool logarithm) {
  const Tensor& input = context.input(0);
  std::vector<double> elements = load_floats(input);
  const ReductionPlan plan = plan_of_axis(context);
  if (input.empty()) return context.set(0, input);
  std::vector<double> largest = per_group(plan, -std::numeric_limits<double>::infinity());
  std::vector<double> sums = per_group(plan, 0);
  for_each_reduced(plan, elements, [&](std::size_t at, double x) {
    if (x > largest[at] || x != x) largest[at] = x;
  });
  for_each_reduced(plan, elements, [&](std::size_t at, double x) { sums[at] += std::exp(x - largest[at]); });
  map_groups(plan, elements, [&](double x, std::size_t at) {
    return logarithm ? x - largest[at] - std::log(sums[at]) : std::exp(x - largest[at]) / sums[at];
  });
  context.set(0, store(input.dtype(), input.shape(), elements));
}

void run_softmax(Context& context) {
  run_softmax_form(context, false);
}
void run_log_softmax(Context& context) {
  run_softmax_form(context, true);
}

/// x divided by the L1 or L2 norm of its group; a group of zeros stays zero.
void run_lp_normalization(Context& context) {
  const Tensor& input = context.input(0);
  const std::int64_t p = context.node().get_int("p");
  if (p != 1 && p != 2) throw ModelError(cat("attribute p is ", p, ", expected 1 or 2"));
  std::vector<double> elements = load_floats(input);
  const ReductionPlan plan = plan_of_axis(context);
  if (input.empty()) return context.set(0, input);
  std::vector<double> norms = per_group(plan, 0);
  for_each_reduced(plan, elements, [&](std::size_t at, double x) { norms[at] += p == 1 ? std::abs(x) : x * x; });
  map_groups(plan, elements, [&](double x, std::size_t at) {
    const double norm = p == 1 ? norms[at] : std::sqrt(norms[at]);
    return norm == 0 ? 0.0 : x / norm;
  });
  context.set(0, store(input.dtype(), input.shape(), elements));
}

/// (x - mean) / (standard deviation + 1e-9) over the axes
void run_mean_variance_normalization(Context& context) {
  const Tensor& input = context.input(0);
  std::vector<std::int64_t> axes = {0, 2, 3};
  if (context.node().has("axes")) axes = context.node().get_ints("axes");
  std::vector<double> elements = load_floats(input);
  const ReductionPlan plan = plan_reduction(input.shape(), axes, true);
  if (input.empty()) return context.set(0, input);
  const auto count = static_cast<double>(plan.group);
  std::vector<double> means = per_group(plan, 0), variances = per_group(plan, 0);
  for_each_reduced(plan, elements, [&](std::size_t at, double x) { means[at] += x / count; });
  for_each_reduced(plan, elements,
                   [&](std::size_t at, double x) { variances[at] += (x - means[at]) * (x - means[at]) / count; });
  map_groups(plan, elements,
             [&](double x, std::size_t at) { return (x - means[at]) / (std::sqrt(variances[at]) + 1e-9); });
  context.set(0, store(input.dtype(), input.shape(), elements));
}

constexpr KernelEntry table[] = {
    {OpKind::LogSoftmax, run_log_softmax},
    {OpKind::LpNormalization, run_lp_normalization},
    {OpKind::MeanVarianceNormalization, run_mean_variance_normalization},
    {OpKind::Softmax, run_softmax},
};

}  // namespace

std::span<const KernelEntry> normalize_kernels() {
  return table;
}

}  // namespace adze::reference::detail
