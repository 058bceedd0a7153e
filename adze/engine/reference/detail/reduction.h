#pragma once

#include <span>
#include <vector>

#include "adze/engine/reference/detail/elements.h"
#include "adze/engine/reference/detail/movement.h"
#include "adze/engine/reference/reference.h"

namespace adze::reference::detail {

/// Which elements of an input are reduced to which element of the output.
struct ReductionPlan {
  Shape input;
  Shape kept;              ///< the input's shape with reduced axes as 1
  Shape output;            ///< kept, or without the reduced axes
  std::int64_t group = 1;  ///< elements reduced to one

  /// The place in the output of each input element, in row-major order: call offset(), then next().
  StridedWalk<1> walk() const { return {input, {broadcast_strides(kept, input)}}; }
};

/// axes as ONNX gives them: negative ones count from the end. ModelError on wrong or repeated axes.
ReductionPlan plan_reduction(const Shape& input, const std::vector<std::int64_t>& axes, bool keep_dims);

/// Calls f(place in the output, element) for each element in order.
template <typename C, typename F>
void for_each_reduced(const ReductionPlan& plan, const std::vector<C>& elements, F f) {
  auto walk = plan.walk();
  for (const C& element : elements) {
    f(static_cast<std::size_t>(walk.offset()), element);
    walk.next();
  }
}

/// The floats of input 0 as double; ModelError for other types.
std::vector<double> load_floats(const Tensor& tensor);

// Parts of the reduction table, by topic.
std::span<const KernelEntry> reduce_kernels();
std::span<const KernelEntry> order_kernels();
std::span<const KernelEntry> normalize_kernels();
std::span<const KernelEntry> linear_kernels();

}  // namespace adze::reference::detail
