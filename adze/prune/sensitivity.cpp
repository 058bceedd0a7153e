#include "adze/prune/sensitivity.h"

#include "adze/prune/allocate.h"
#include "adze/prune/measuring.h"

namespace adze::prune {

std::vector<GroupSensitivity> measure_sensitivity(const Graph& graph, const Groups& groups,
                                                  const std::vector<std::vector<double>>& scores,
                                                  std::span<const double> ratios, const Batches& batches,
                                                  ProgressSink& progress) {
  if (batches.count == 0) throw ModelError("no data to measure sensitivity on");
  const Outputs dense = outputs_of(graph, batches);
  std::vector<GroupSensitivity> result;
  ProgressPhase phase(progress, "sensitivity", static_cast<std::int64_t>(groups.groups.size() * ratios.size()), "runs");
  for (std::size_t g = 0; g < groups.groups.size(); ++g) {
    if (scores[g].empty()) continue;
    GroupSensitivity one{g, {}};
    for (const double ratio : ratios) {
      std::vector<double> by_group(groups.groups.size(), 0.0);
      by_group[g] = ratio;
      const auto selections = choose_by_group(groups, scores, by_group, {.max_ratio = 1.0});
      one.errors.push_back(relative_error(dense, outputs_of(remove_units(graph, groups, selections), batches)));
      phase.advance();
    }
    result.push_back(std::move(one));
  }
  return result;
}

std::map<GroupKey, std::vector<double>> measure_left_out(const Graph& graph, const Groups& groups,
                                                         const Batches& batches, ProgressSink& progress) {
  const Outputs whole = outputs_of(graph, batches);
  std::int64_t units = 0;
  for (const Group& group : groups.groups) units += group.size;
  ProgressPhase phase(progress, "leaving out", units, "units");
  std::map<GroupKey, std::vector<double>> result;
  for (std::size_t g = 0; g < groups.groups.size(); ++g) {
    const Group& group = groups.groups[g];
    auto& errors = result[key_of(group)];
    for (std::int64_t unit = 0; unit < group.size; ++unit) {
      phase.advance();
      if (group.size == 1) {
        errors.push_back(1);  // it cannot go
        continue;
      }
      const Selection alone{g, {unit}};
      errors.push_back(relative_error(whole, outputs_of(zero_units(graph, groups, {&alone, 1}), batches)));
    }
  }
  return result;
}

std::vector<double> ratios_below(const std::vector<GroupSensitivity>& sensitivity, std::span<const double> ratios,
                                 std::size_t num_groups, double error) {
  std::vector<double> result(num_groups, 0.0);
  for (const GroupSensitivity& one : sensitivity) {
    double last_ratio = 0, last_error = 0;
    for (std::size_t i = 0; i < ratios.size(); ++i) {
      if (one.errors[i] > error) {
        const double share = (error - last_error) / (one.errors[i] - last_error);
        last_ratio += (ratios[i] - last_ratio) * share;
        break;
      }
      last_ratio = ratios[i];
      last_error = std::max(last_error, one.errors[i]);
    }
    result[one.group] = last_ratio;
  }
  return result;
}

}  // namespace adze::prune
