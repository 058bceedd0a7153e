#include "adze/prune/allocate.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "adze/base/text.h"
#include "adze/plan/cost.h"
#include "adze/plan/plan.h"

namespace adze::prune {

namespace {

/// How many of size units may go when `wanted` should: what is kept is a multiple where size is one.
std::int64_t allowed(std::int64_t size, std::int64_t wanted, const UnitLimits& limits) {
  const auto most = static_cast<std::int64_t>(std::floor(limits.max_ratio * static_cast<double>(size) + 1e-9));
  std::int64_t kept = std::max({size - std::min(wanted, most), limits.min_units, std::int64_t{1}});
  if (limits.round_to > 1 && size % limits.round_to == 0) {
    kept = (kept + limits.round_to - 1) / limits.round_to * limits.round_to;
  }
  return std::max<std::int64_t>(0, size - kept);
}

/// Units in order of their scores, smallest first.
std::vector<std::int64_t> ranked(const std::vector<double>& scores) {
  std::vector<std::int64_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return scores[static_cast<std::size_t>(a)] < scores[static_cast<std::size_t>(b)];
  });
  return order;
}

void add_smallest(std::vector<Selection>& selections, std::size_t group, const std::vector<double>& scores,
                  std::int64_t count) {
  if (count <= 0) return;
  std::vector<std::int64_t> order = ranked(scores);
  order.resize(static_cast<std::size_t>(count));
  std::sort(order.begin(), order.end());
  selections.push_back({group, std::move(order)});
}

}  // namespace

std::vector<Selection> choose_by_group(const Groups& groups, const std::vector<std::vector<double>>& scores,
                                       std::span<const double> ratios, const UnitLimits& limits) {
  std::vector<Selection> selections;
  for (std::size_t g = 0; g < groups.groups.size(); ++g) {
    if (scores[g].empty()) continue;
    const std::int64_t size = groups.groups[g].size;
    const auto wanted = static_cast<std::int64_t>(std::lround(ratios[g] * static_cast<double>(size)));
    add_smallest(selections, g, scores[g], allowed(size, wanted, limits));
  }
  return selections;
}

std::vector<Selection> choose_globally(const Groups& groups, const std::vector<std::vector<double>>& scores,
                                       double ratio, const UnitLimits& limits) {
  std::vector<std::pair<double, std::size_t>> all;  // score, group
  for (std::size_t g = 0; g < groups.groups.size(); ++g) {
    for (const double score : scores[g]) all.emplace_back(score, g);
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  auto left = static_cast<std::int64_t>(std::lround(ratio * static_cast<double>(all.size())));
  std::vector<std::int64_t> counts(groups.groups.size());
  for (const auto& [score, group] : all) {
    if (left <= 0) break;
    if (counts[group] + 1 > allowed(groups.groups[group].size, groups.groups[group].size, limits)) continue;
    ++counts[group];
    --left;
  }
  std::vector<Selection> selections;
  for (std::size_t g = 0; g < counts.size(); ++g) {
    add_smallest(selections, g, scores[g], allowed(groups.groups[g].size, counts[g], limits));
  }
  return selections;
}

Size size_of(const Graph& graph) {
  const GraphCost cost = compute_cost(with_unknown_dims(graph, 1));
  return {cost.macs, cost.parameters};
}

std::vector<Selection> choose_for_cost(const std::function<std::vector<Selection>(double)>& choose, const Cost& cost,
                                       double target) {
  std::vector<Selection> best = choose(1.0);
  const double least = cost(best);
  if (least > target) {
    throw UsageError(cat("the target ", target, " cannot be reached: ", fixed(least, 4),
                         " remain when every group loses what it may"),
                     "raise --max-ratio, or the target");
  }
  double low = 0, high = 1;
  for (int step = 0; step < 10; ++step) {
    const double middle = (low + high) / 2;
    std::vector<Selection> candidate = choose(middle);
    if (cost(candidate) <= target) {
      high = middle;
      best = std::move(candidate);
    } else {
      low = middle;
    }
  }
  return best;
}

}  // namespace adze::prune
