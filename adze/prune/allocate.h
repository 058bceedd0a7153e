#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "adze/prune/groups.h"
#include "adze/prune/remove.h"

namespace adze::prune {

/// How many units each group keeps.
struct UnitLimits {
  std::int64_t round_to = 1;   ///< kept counts are multiples of it where the group was one
  std::int64_t min_units = 1;  ///< that each group keeps
  double max_ratio = 0.9;      ///< the most that one group loses
};

/// The units with the smallest scores. scores: by group, one a unit; groups without scores stay whole.
/// ratios: by group, the share that goes (rounded so that kept counts fit the limits, upwards).
std::vector<Selection> choose_by_group(const Groups& groups, const std::vector<std::vector<double>>& scores,
                                       std::span<const double> ratios, const UnitLimits& limits = {});

/// One threshold over all groups: the share `ratio` of all units goes, those with the smallest scores.
std::vector<Selection> choose_globally(const Groups& groups, const std::vector<std::vector<double>>& scores,
                                       double ratio, const UnitLimits& limits = {});

/// Multiply-accumulates and parameters of a graph; unknown sizes count as 1.
struct Size {
  std::int64_t macs = 0, parameters = 0;
};
Size size_of(const Graph& graph);

/// What is measured of a candidate: its network's MACs, its kept units …, as a share of the whole.
using Cost = std::function<double(std::span<const Selection>)>;

/// The mildest choice that costs at most target (by halving the interval of ratios).
/// choose: selections for a strength in [0, 1]. Throws UsageError when even the strongest choice costs more.
std::vector<Selection> choose_for_cost(const std::function<std::vector<Selection>(double)>& choose, const Cost& cost,
                                       double target);

}  // namespace adze::prune
