#include "adze/engine/reference/detail/reduction.h"

namespace adze::reference {

namespace detail {

ReductionPlan plan_reduction(const Shape& input, const std::vector<std::int64_t>& axes, bool keep_dims) {
  ReductionPlan plan;
  plan.input = plan.kept = input;
  std::vector<bool> reduced(input.size(), false);
  for (const std::int64_t axis : checked_axes(axes, static_cast<std::int64_t>(input.size()))) {
    reduced[static_cast<std::size_t>(axis)] = true;
  }
  Shape group;
  for (std::size_t i = 0; i < input.size(); ++i) {
    if (reduced[i]) {
      group.push_back(input[i]);
      plan.kept[i] = 1;
    }
    if (!reduced[i] || keep_dims) plan.output.push_back(plan.kept[i]);
  }
  plan.group = num_elements(group);
  return plan;
}

std::vector<double> load_floats(const Tensor& tensor) {
  if (!is_float(tensor.dtype())) throw ModelError(cat("expected floats, found ", type_text(tensor)));
  return load<double>(tensor);
}

}  // namespace detail

std::span<const KernelEntry> reduction_kernels() {
  static const auto table = [] {
    std::vector<KernelEntry> all;
    for (const auto part :
         {detail::reduce_kernels(), detail::order_kernels(), detail::normalize_kernels(), detail::linear_kernels()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }();
  return table;
}

}  // namespace adze::reference
