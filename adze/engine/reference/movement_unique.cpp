#include <algorithm>
#include <functional>
#include <numeric>

#include "adze/engine/reference/detail/elements.h"
#include "adze/engine/reference/detail/movement.h"

namespace adze::reference::detail {

namespace {

/// -1, 0 or 1 as element i comes before, is, or comes after element j. NaNs are equal and last.
using CompareElements = std::function<int(std::int64_t i, std::int64_t j)>;

template <typename C>
CompareElements comparison_of(std::vector<C> elements) {
  return [elements = std::move(elements)](std::int64_t i, std::int64_t j) {
    const C& a = elements[static_cast<std::size_t>(i)];
    const C& b = elements[static_cast<std::size_t>(j)];
    if (a < b) return -1;
    if (b < a) return 1;
    if (a == b) return 0;
    return static_cast<int>(a != a) - static_cast<int>(b != b);
  };
}

CompareElements comparison_of(const Tensor& tensor) {
  if (tensor.dtype() == DType::String) {
    const auto texts = tensor.data<std::string>();
    return comparison_of(std::vector<std::string>(texts.begin(), texts.end()));
  }
  return visit_compute(tensor.dtype(),
                       [&](auto tag) { return comparison_of(load<typename decltype(tag)::type>(tensor)); });
}

/// Slices along one axis, sorted by content, then by position.
struct Groups {
  std::vector<std::int64_t> first;  ///< of each group, its first slice
  std::vector<std::int64_t> count;
  std::vector<std::int64_t> group_of;  ///< of each slice
};

Groups group_slices(const Tensor& tensor, std::int64_t axis, bool sorted) {
  const AxisSplit split = split_at(tensor.shape(), axis);
  const CompareElements compare = comparison_of(tensor);
  const auto compare_slices = [&](std::int64_t i, std::int64_t j) {
    for (std::int64_t outer = 0; outer < split.outer; ++outer) {
      for (std::int64_t inner = 0; inner < split.inner; ++inner) {
        const std::int64_t base = outer * split.size * split.inner + inner;
        if (const int order = compare(base + i * split.inner, base + j * split.inner); order != 0) return order;
      }
    }
    return 0;
  };
  std::vector<std::int64_t> order = identity_map(split.size);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t i, std::int64_t j) { return compare_slices(i, j) < 0; });
  Groups groups;
  groups.group_of.resize(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i == 0 || compare_slices(order[i - 1], order[i]) != 0) {
      groups.first.push_back(order[i]);
      groups.count.push_back(0);
    }
    ++groups.count.back();
    groups.group_of[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(groups.first.size()) - 1;
  }
  if (sorted) return groups;
  // By first appearance.
  std::vector<std::size_t> by_first(groups.first.size());
  std::iota(by_first.begin(), by_first.end(), std::size_t{0});
  std::sort(by_first.begin(), by_first.end(),
            [&](std::size_t i, std::size_t j) { return groups.first[i] < groups.first[j]; });
  Groups result;
  std::vector<std::int64_t> renumbered(by_first.size());
  for (std::size_t i = 0; i < by_first.size(); ++i) {
    result.first.push_back(groups.first[by_first[i]]);
    result.count.push_back(groups.count[by_first[i]]);
    renumbered[by_first[i]] = static_cast<std::int64_t>(i);
  }
  for (const std::int64_t group : groups.group_of)
    result.group_of.push_back(renumbered[static_cast<std::size_t>(group)]);
  return result;
}

void run_unique(Context& context) {
  const Tensor& input = context.input(0);
  const bool flat = !context.node().has("axis");
  const Tensor data = flat ? input.reshaped({input.size()}) : input;
  const std::int64_t axis = flat ? 0 : normalize_axis(context.node().get_int("axis"), data.rank());
  const Groups groups = group_slices(data, axis, context.node().get_int("sorted") != 0);
  std::vector<AxisMap> maps;
  for (const std::int64_t dim : data.shape()) maps.push_back(identity_map(dim));
  maps[static_cast<std::size_t>(axis)] = groups.first;
  context.set(0, take_places(data, maps));
  context.set(1, Tensor::ints(groups.first));
  context.set(2, Tensor::ints(groups.group_of));
  context.set(3, Tensor::ints(groups.count));
}

constexpr KernelEntry table[] = {{OpKind::Unique, run_unique}};

}  // namespace

std::span<const KernelEntry> unique_kernels() {
  return table;
}

}  // namespace adze::reference::detail
