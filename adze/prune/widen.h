#pragma once

#include <span>
#include <vector>

#include "adze/prune/groups.h"
#include "adze/prune/remove.h"

namespace adze::prune {

/// Can units be added at the end of all axes of the group? Not where an axis holds other things too (concat, split) or
/// an operator spells out sizes.
bool can_widen(const Graph& graph, const Group& group);

/// The graph with copies of the selected units (a unit may be selected several times), appended; what reads a unit and
/// its copies has its weights divided among them, so that the graph computes what it did, but for `noise`, relative to
/// the weights' size, that lets copies become different. Throws UsageError for groups that cannot be widened.
/// Source  Chen et al., Net2Net, arXiv:1511.05641
Graph with_copies(Graph graph, const Groups& groups, std::span<const Selection> selections, double noise,
                  std::uint64_t seed);

/// All groups that can be, widened by the same factor: the largest whose MACs stay within the limit. Units are copied
/// at random. The second half of a step of MorphNet (arXiv:1711.06798). Returns the graph and the factor.
struct Widened {
  Graph graph;
  double factor = 1;
};
Widened widened_to(const Graph& graph, std::int64_t most_macs, double noise, std::uint64_t seed);

}  // namespace adze::prune
