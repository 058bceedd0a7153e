#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "adze/prune/groups.h"

namespace adze::prune {

/// Units of one group.
struct Selection {
  std::size_t group = 0;  ///< index into Groups::groups
  std::vector<std::int64_t> units;
};

/// The graph without the selected units: weights cut, shapes and counts in attributes and constants corrected, types
/// inferred anew, verified. Values keep their ids. Throws UsageError when a group would lose its last unit.
Graph remove_units(Graph graph, const Groups& groups, std::span<const Selection> selections);

/// The same network at its full size with the weights of the selected units zeroed: where a unit's channels are
/// consumed, and where they are produced. Computes what remove_units' graph computes, but for inexact groups.
Graph zero_units(Graph graph, const Groups& groups, std::span<const Selection> selections);

/// The elements of a tensor but for those at these indices (ascending) of an axis.
Tensor without_indices(const Tensor& tensor, std::int64_t axis, std::span<const std::int64_t> indices);

}  // namespace adze::prune
