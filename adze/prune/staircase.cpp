#include "adze/prune/staircase.h"

#include <algorithm>

#include "adze/base/text.h"
#include "adze/prune/allocate.h"

namespace adze::prune {

namespace {

std::vector<std::int64_t> counts_to_try(std::int64_t size, const StaircaseOptions& options) {
  std::vector<std::int64_t> counts;
  for (std::int64_t point = 1; point <= options.points; ++point) {
    std::int64_t count = (size * point + options.points - 1) / options.points;
    if (options.multiple > 1 && size % options.multiple == 0) {
      count = (count + options.multiple - 1) / options.multiple * options.multiple;
    }
    if (counts.empty() || count > counts.back()) counts.push_back(count);
  }
  return counts;
}

/// The units with the smallest scores, so many that `kept` stay.
Selection cut_to(std::size_t group, const std::vector<double>& scores, std::int64_t kept) {
  std::vector<std::int64_t> order(scores.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return scores[static_cast<std::size_t>(a)] < scores[static_cast<std::size_t>(b)];
  });
  order.resize(scores.size() - static_cast<std::size_t>(kept));
  std::sort(order.begin(), order.end());
  return {group, std::move(order)};
}

}  // namespace

std::vector<Staircase> measure_staircases(const Graph& graph, const Groups& groups,
                                          const std::vector<std::vector<double>>& scores, const NetworkCost& cost,
                                          const StaircaseOptions& options, ProgressSink& progress) {
  if (options.points < 2) throw UsageError("a staircase has at least two points");
  std::vector<Staircase> result;
  std::int64_t all = 0;
  for (std::size_t g = 0; g < groups.groups.size(); ++g) {
    if (scores[g].empty()) continue;
    result.push_back({g, counts_to_try(groups.groups[g].size, options), {}});
    all += static_cast<std::int64_t>(result.back().kept.size());
  }
  const double whole = cost(graph);
  ProgressPhase phase(progress, "staircase", all, "networks");
  for (Staircase& one : result) {
    for (const std::int64_t kept : one.kept) {
      check_cancelled();
      const bool is_whole = kept == groups.groups[one.group].size;
      const Selection selection = cut_to(one.group, scores[one.group], kept);
      one.costs.push_back(is_whole ? whole : cost(remove_units(graph, groups, {&selection, 1})));
      phase.advance();
    }
  }
  return result;
}

std::int64_t kept_on_step(const Staircase& staircase, std::int64_t wanted, double tolerance) {
  const auto place = std::lower_bound(staircase.kept.begin(), staircase.kept.end(), wanted);
  if (place == staircase.kept.end()) return staircase.kept.back();
  const auto first = static_cast<std::size_t>(place - staircase.kept.begin());
  const double limit = staircase.costs[first] + tolerance * staircase.costs.back();
  std::size_t best = first;
  for (std::size_t i = first; i < staircase.kept.size(); ++i) {
    if (staircase.costs[i] <= limit) best = i;
  }
  return staircase.kept[best];
}

Landing land_on_steps(const Groups& groups, const std::vector<std::vector<double>>& scores,
                      std::span<const Selection> selections, std::span<const Staircase> staircases, double tolerance) {
  Landing landing;
  for (const Selection& selection : selections) {
    const Group& group = groups.groups.at(selection.group);
    const auto found = std::find_if(staircases.begin(), staircases.end(),
                                    [&](const Staircase& one) { return one.group == selection.group; });
    if (found == staircases.end()) {
      landing.selections.push_back(selection);
      continue;
    }
    const std::int64_t wanted = group.size - static_cast<std::int64_t>(selection.units.size());
    const std::int64_t kept = kept_on_step(*found, wanted, tolerance);
    if (kept >= group.size) {
      landing.refused.push_back(cat(group.name, ": ", wanted, " of ", group.size, " cost what all do"));
    } else {
      landing.selections.push_back(cut_to(selection.group, scores[selection.group], kept));
    }
  }
  return landing;
}

}  // namespace adze::prune
