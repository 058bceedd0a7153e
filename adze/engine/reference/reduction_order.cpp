// Operators that depend on the order of elements along one axis: the best, the k best, running sums.
#include <algorithm>

#include "adze/engine/reference/detail/reduction.h"

namespace adze::reference::detail {

namespace {

/// Does a come before b when the largest (else the smallest) come first? NaN counts as the best of all.
template <typename C>
bool comes_before(C a, C b, bool largest) {
  if (a != a) return b == b;
  return largest ? a > b : a < b;
}

/// Calls f(place of the first element) for each run of elements along the axis.
template <typename F>
void for_each_run(const AxisSplit& split, F f) {
  for (std::int64_t outer = 0; outer < split.outer; ++outer) {
    for (std::int64_t inner = 0; inner < split.inner; ++inner) f(outer * split.size * split.inner + inner);
  }
}

/// The position of the best element; of equal ones the first, or the last when asked for.
template <bool largest>
void run_arg(Context& context) {
  const Tensor& input = context.input(0);
  const std::int64_t axis = normalize_axis(context.node().get_int("axis"), input.rank());
  const bool last = context.node().get_int("select_last_index") != 0;
  const ReductionPlan plan = plan_reduction(input.shape(), {axis}, context.node().get_int("keepdims") != 0);
  Tensor out(DType::S64, plan.output);
  const AxisSplit split = split_at(input.shape(), axis);
  if (split.size == 0 && !out.empty()) throw ModelError("has no elements to choose from");
  visit_compute(input.dtype(), [&](auto tag) {
    using C = typename decltype(tag)::type;
    const std::vector<C> elements = load<C>(input);
    auto place = out.mutable_data<std::int64_t>().begin();
    if (out.empty()) return;
    for_each_run(split, [&](std::int64_t first) {
      const auto at = [&](std::int64_t i) { return elements[static_cast<std::size_t>(first + i * split.inner)]; };
      std::int64_t best = 0;
      for (std::int64_t i = 1; i < split.size; ++i) {
        if (comes_before(at(i), at(best), largest) || (last && !comes_before(at(best), at(i), largest))) best = i;
      }
      *place++ = best;
    });
  });
  context.set(0, out);
}

/// 1 at the first largest element along the axis, 0 elsewhere.
void run_hardmax(Context& context) {
  const Tensor& input = context.input(0);
  const AxisSplit split = split_at(input.shape(), normalize_axis(context.node().get_int("axis"), input.rank()));
  const std::vector<double> elements = load_floats(input);
  std::vector<double> out(elements.size(), 0.0);
  if (out.empty()) return context.set(0, input);
  for_each_run(split, [&](std::int64_t first) {
    std::int64_t best = first;
    for (std::int64_t i = 1; i < split.size; ++i) {
      const std::int64_t at = first + i * split.inner;
      if (comes_before(elements[static_cast<std::size_t>(at)], elements[static_cast<std::size_t>(best)], true))
        best = at;
    }
    out[static_cast<std::size_t>(best)] = 1;
  });
  context.set(0, store(input.dtype(), input.shape(), out));
}

/// The k best elements along the axis, best first; equal ones by lower index.
void run_top_k(Context& context) {
  const Tensor& input = context.input(0);
  const Tensor& count = context.input(1);
  const std::int64_t axis = normalize_axis(context.node().get_int("axis"), input.rank());
  const bool largest = context.node().get_int("largest") != 0;
  if (count.size() != 1 || !is_integer(count.dtype()))
    throw ModelError(cat("k is ", type_text(count), ", expected one integer"));
  const std::int64_t k = count.get_int(0);
  if (k < 0 || k > input.dim(axis)) throw ModelError(cat("k is ", k, " for an axis of ", input.dim(axis)));
  const AxisSplit split = split_at(input.shape(), axis);
  Shape shape = input.shape();
  shape[static_cast<std::size_t>(axis)] = k;
  Tensor places(DType::S64, shape);
  const auto place = places.mutable_data<std::int64_t>();
  visit_compute(input.dtype(), [&](auto tag) {
    using C = typename decltype(tag)::type;
    const std::vector<C> elements = load<C>(input);
    std::vector<C> values(place.size());
    std::int64_t run = 0;
    if (!places.empty()) {
      for_each_run(split, [&](std::int64_t first) {
        const auto at = [&](std::int64_t i) { return elements[static_cast<std::size_t>(first + i * split.inner)]; };
        std::vector<std::int64_t> order = identity_map(split.size);
        std::partial_sort(order.begin(), order.begin() + k, order.end(), [&](std::int64_t i, std::int64_t j) {
          if (comes_before(at(i), at(j), largest)) return true;
          return !comes_before(at(j), at(i), largest) && i < j;
        });
        for (std::int64_t i = 0; i < k; ++i) {
          const auto to = static_cast<std::size_t>((run / split.inner * k + i) * split.inner + run % split.inner);
          place[to] = order[static_cast<std::size_t>(i)];
          values[to] = at(place[to]);
        }
        ++run;
      });
    }
    context.set(0, store<C>(input.dtype(), shape, values));
  });
  context.set(1, places);
}

/// Running sums along an axis given as data. Floats are summed in double, each sum rounded once; integers wrap.
void run_cum_sum(Context& context) {
  const Tensor& input = context.input(0);
  const Tensor& axis_input = context.input(1);
  if (axis_input.size() != 1 || !is_integer(axis_input.dtype())) {
    throw ModelError(cat("axis is ", type_text(axis_input), ", expected one integer"));
  }
  const AxisSplit split = split_at(input.shape(), normalize_axis(axis_input.get_int(0), input.rank()));
  const bool exclusive = context.node().get_int("exclusive") != 0;
  const bool reverse = context.node().get_int("reverse") != 0;
  if (input.dtype() == DType::Bool) throw ModelError("is not defined for elements of type bool");
  if (input.empty()) return context.set(0, input);
  visit_compute(input.dtype(), [&](auto tag) {
    using C = typename decltype(tag)::type;
    using Wide = std::conditional_t<std::is_floating_point_v<C>, double, std::uint64_t>;
    std::vector<Wide> elements = load<Wide>(input);
    for_each_run(split, [&](std::int64_t first) {
      Wide sum = 0;
      for (std::int64_t i = 0; i < split.size; ++i) {
        const std::int64_t at = first + (reverse ? split.size - 1 - i : i) * split.inner;
        Wide& element = elements[static_cast<std::size_t>(at)];
        const Wide before = sum;
        sum += element;
        element = exclusive ? before : sum;
      }
    });
    context.set(0, store<Wide>(input.dtype(), input.shape(), elements));
  });
}

constexpr KernelEntry table[] = {
    {OpKind::ArgMax, run_arg<true>}, {OpKind::ArgMin, run_arg<false>}, {OpKind::CumSum, run_cum_sum},
    {OpKind::Hardmax, run_hardmax},  {OpKind::TopK, run_top_k},
};

}  // namespace

std::span<const KernelEntry> order_kernels() {
  return table;
}

}  // namespace adze::reference::detail
