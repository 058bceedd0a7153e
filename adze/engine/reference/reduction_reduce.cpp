// The Reduce operators. Floats are accumulated in double and rounded once; integers wrap.
#include <cmath>
#include <limits>
#include <numeric>

#include "adze/engine/reference/detail/reduction.h"

namespace adze::reference::detail {

namespace {

/// The plan of a Reduce node; nothing when it is told to reduce nothing.
std::optional<ReductionPlan> plan_of(const Context& context) {
  const Tensor& input = context.input(0);
  std::vector<std::int64_t> axes;
  if (const Tensor* given = context.optional_input(1)) axes = int_list(*given);
  if (axes.empty()) {
    if (context.node().get_int("noop_with_empty_axes") != 0) return std::nullopt;
    axes.resize(input.shape().size());
    std::iota(axes.begin(), axes.end(), std::int64_t{0});
  }
  return plan_reduction(input.shape(), axes, context.node().get_int("keepdims") != 0);
}

/// Folds the elements of each group with f, from start.
template <typename C, typename F>
std::vector<C> fold(const ReductionPlan& plan, const std::vector<C>& elements, C start, F f) {
  std::vector<C> out(count_to_compute(plan.output), start);
  for_each_reduced(plan, elements, [&](std::size_t at, C x) { out[at] = f(out[at], x); });
  return out;
}

/// A reduction that stays in the compute type of its input.
template <typename F>
void reduce_exactly(Context& context, F step, int start) {
  const Tensor& input = context.input(0);
  if (input.dtype() == DType::Bool) throw ModelError("is not defined for elements of type bool");
  const auto plan = plan_of(context);
  if (!plan) return context.set(0, input);
  visit_compute(input.dtype(), [&](auto tag) {
    using C = typename decltype(tag)::type;
    // Integers wrap: computed as unsigned.
    using Wide = std::conditional_t<std::is_floating_point_v<C>, double, std::uint64_t>;
    context.set(0, store<Wide>(input.dtype(), plan->output,
                               fold<Wide>(*plan, load<Wide>(input), static_cast<Wide>(start),
                                          [&](Wide a, Wide x) { return step(a, x, C{}); })));
  });
}

void run_sum(Context& context) {
  reduce_exactly(
      context, [](auto sum, auto x, auto) { return sum + x; }, 0);
}

void run_prod(Context& context) {
  reduce_exactly(
      context, [](auto product, auto x, auto) { return product * x; }, 1);
}

void run_sum_square(Context& context) {
  reduce_exactly(
      context, [](auto sum, auto x, auto) { return sum + x * x; }, 0);
}

void run_l1(Context& context) {
  reduce_exactly(
      context,
      [](auto sum, auto x, auto kind) {
        using C = decltype(kind);
        if constexpr (std::is_floating_point_v<C>) {
          return sum + std::abs(x);
        } else {
          return sum + (static_cast<C>(x) < C(0) ? 0 - x : x);
        }
      },
      0);
}

/// The identity element of max (highest = false) or min: what an empty group gives.
template <typename C>
C extreme(DType dtype, bool highest) {
  if constexpr (std::is_floating_point_v<C>) {
    return highest ? std::numeric_limits<C>::infinity() : -std::numeric_limits<C>::infinity();
  } else {
    if (dtype == DType::Bool) return highest ? 1 : 0;
    if (dtype == DType::U64) return highest ? std::numeric_limits<C>::max() : 0;
    return static_cast<C>(highest ? integer_max(dtype) : integer_min(dtype));
  }
}

template <bool largest>
void run_extreme(Context& context) {
  const Tensor& input = context.input(0);
  const auto plan = plan_of(context);
  if (!plan) return context.set(0, input);
  visit_compute(input.dtype(), [&](auto tag) {
    using C = typename decltype(tag)::type;
    const auto better = [](C a, C x) { return (largest ? a > x : a < x) || a != a ? a : x; };  // NaN wins
    const C start = extreme<C>(input.dtype(), !largest);
    context.set(0, store<C>(input.dtype(), plan->output, fold<C>(*plan, load<C>(input), start, better)));
  });
}

/// Doubles in the dtype of the input; integers truncate.
Tensor stored_like(const Tensor& input, const Shape& shape, const std::vector<double>& values) {
  if (is_float(input.dtype())) return store(input.dtype(), shape, values);
  return converted(store(DType::F64, shape, values), input.dtype());
}

/// finish(fold of the group, number of elements) in double.
template <typename Step, typename Finish>
void reduce_in_double(Context& context, Step step, Finish finish) {
  const Tensor& input = context.input(0);
  if (input.dtype() == DType::Bool) throw ModelError("is not defined for elements of type bool");
  const auto plan = plan_of(context);
  if (!plan) return context.set(0, input);
  std::vector<double> out = fold<double>(*plan, load<double>(input), 0.0, step);
  for (double& x : out) x = finish(x, static_cast<double>(plan->group));
  context.set(0, stored_like(input, plan->output, out));
}

void run_mean(Context& context) {
  reduce_in_double(
      context, [](double sum, double x) { return sum + x; }, [](double sum, double count) { return sum / count; });
}

void run_l2(Context& context) {
  reduce_in_double(
      context, [](double sum, double x) { return sum + x * x; }, [](double sum, double) { return std::sqrt(sum); });
}

void run_log_sum(Context& context) {
  reduce_in_double(
      context, [](double sum, double x) { return sum + x; }, [](double sum, double) { return std::log(sum); });
}

/// log Σ exp x = m + log Σ exp(x - m) with m the largest x.
void run_log_sum_exp(Context& context) {
  const Tensor& input = context.input(0);
  if (input.dtype() == DType::Bool) throw ModelError("is not defined for elements of type bool");
  const auto plan = plan_of(context);
  if (!plan) return context.set(0, input);
  const std::vector<double> elements = load<double>(input);
  std::vector<double> largest = fold<double>(*plan, elements, -std::numeric_limits<double>::infinity(),
                                             [](double a, double x) { return a > x || a != a ? a : x; });
  std::vector<double> sums(largest.size(), 0.0);
  for_each_reduced(*plan, elements, [&](std::size_t at, double x) {
    sums[at] += std::isinf(largest[at]) ? (x == largest[at] ? 1.0 : 0.0) : std::exp(x - largest[at]);
  });
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] = largest[i] + std::log(sums[i]);
  context.set(0, stored_like(input, plan->output, sums));
}

constexpr KernelEntry table[] = {
    {OpKind::ReduceL1, run_l1},
    {OpKind::ReduceL2, run_l2},
    {OpKind::ReduceLogSum, run_log_sum},
    {OpKind::ReduceLogSumExp, run_log_sum_exp},
    {OpKind::ReduceMax, run_extreme<true>},
    {OpKind::ReduceMean, run_mean},
    {OpKind::ReduceMin, run_extreme<false>},
    {OpKind::ReduceProd, run_prod},
    {OpKind::ReduceSum, run_sum},
    {OpKind::ReduceSumSquare, run_sum_square},
};

}  // namespace

std::span<const KernelEntry> reduce_kernels() {
  return table;
}

}  // namespace adze::reference::detail
