#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "adze/prune/groups.h"
#include "adze/prune/remove.h"
#include "adze/prune/statistics.h"

namespace adze::prune {

/// What a network costs where it is to run: microseconds, or instructions under emulation.
using NetworkCost = std::function<double(const Graph&)>;

/// The network's cost with so many units of one group kept, the others whole.
struct Staircase {
  std::size_t group = 0;
  std::vector<std::int64_t> kept;  ///< ascending; the last is the group's size
  std::vector<double> costs;
};

struct StaircaseOptions {
  std::int64_t points = 16;   ///< numbers of units tried for each group, spread evenly
  std::int64_t multiple = 1;  ///< of which they are multiples
};

/// Measures the staircases of all groups that have scores; units with the smallest scores go first. Cost: one
/// measurement for each group and point.
std::vector<Staircase> measure_staircases(const Graph& graph, const Groups& groups,
                                          const std::vector<std::vector<double>>& scores, const NetworkCost& cost,
                                          const StaircaseOptions& options = {},
                                          ProgressSink& progress = silent_progress());

/// The largest number of units that costs no more than `wanted` of them (between measured numbers: the next larger
/// one), but for `tolerance` of the whole network's cost; the group's size when the cut crosses no step.
std::int64_t kept_on_step(const Staircase& staircase, std::int64_t wanted, double tolerance);

/// Selections that keep as many units as fit on the steps where they land.
struct Landing {
  std::vector<Selection> selections;
  std::vector<std::string> refused;  ///< cuts that cross no step: "conv_3: 13 of 16 cost what 16 do"
};
Landing land_on_steps(const Groups& groups, const std::vector<std::vector<double>>& scores,
                      std::span<const Selection> selections, std::span<const Staircase> staircases, double tolerance);

}  // namespace adze::prune
