#include "adze/rewrite/permutation.h"

#include <algorithm>

namespace adze::rewrite {

std::optional<Permutation> permutation_of(const RuleContext& context, const Node& transpose) {
  Permutation perm = transpose.get_ints("perm");
  const auto rank = context.rank(transpose.input(0));
  if (perm.empty()) {
    if (!rank) return std::nullopt;
    for (std::int64_t axis = *rank; axis-- > 0;) perm.push_back(axis);
  }
  Permutation sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (sorted[i] != static_cast<std::int64_t>(i)) return std::nullopt;
  }
  return perm;
}

bool is_identity(const Permutation& perm) {
  return std::is_sorted(perm.begin(), perm.end());
}

Permutation composed(const Permutation& p, const Permutation& q) {
  Permutation both;
  for (const std::int64_t axis : q) both.push_back(p[static_cast<std::size_t>(axis)]);
  return both;
}

Permutation inverse(const Permutation& perm) {
  Permutation result(perm.size());
  for (std::size_t i = 0; i < perm.size(); ++i)
    result[static_cast<std::size_t>(perm[i])] = static_cast<std::int64_t>(i);
  return result;
}

std::int64_t mapped_axis(const Permutation& perm, std::int64_t axis) {
  return perm[static_cast<std::size_t>(normalize_axis(axis, std::ssize(perm)))];
}

Permutation without_axes(const Permutation& perm, const std::vector<std::int64_t>& axes) {
  Permutation result;
  for (const std::int64_t axis : perm) {
    if (std::find(axes.begin(), axes.end(), axis) != axes.end()) continue;
    // What is dropped before an axis moves it forward.
    result.push_back(axis -
                     std::count_if(axes.begin(), axes.end(), [&](std::int64_t dropped) { return dropped < axis; }));
  }
  return result;
}

}  // namespace adze::rewrite
