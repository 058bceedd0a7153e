#include "adze/prune/sensitivity.h"

#include <algorithm>
#include <cmath>

#include "adze/prune/allocate.h"
#include "adze/prune/measuring.h"

namespace adze::prune {

std::vector<GroupSensitivity> measure_sensitivity(const Graph& graph, const Groups& groups,
                                                  const std::vector<std::vector<double>>& scores,
                                                  std::span<const double> ratios, const Batches& batches,
                                                  ProgressSink& progress) {
  if (batches.count == 0) throw UsageError("no data to measure sensitivity on", "give --data");
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

std::vector<GroupSensitivity> measure_weight_sensitivity(const Graph& graph, std::span<const Layer> layers,
                                                         const std::vector<std::vector<double>>& scores,
                                                         const Pattern& pattern, std::span<const double> ratios,
                                                         const Batches& batches, ProgressSink& progress) {
  if (pattern.kind == Pattern::Kind::NM) throw UsageError("N:M takes the same share of every layer", "--spread layer");
  if (batches.count == 0) throw UsageError("sensitivity is measured on data", "give --data");
  const Outputs dense = outputs_of(graph, batches);
  std::vector<GroupSensitivity> result;
  ProgressPhase phase(progress, "sensitivity", static_cast<std::int64_t>(layers.size() * ratios.size()), "runs");
  for (std::size_t i = 0; i < layers.size(); ++i) {
    GroupSensitivity one{i, {}};
    for (const double ratio : ratios) {
      check_cancelled();
      Graph masked = graph;
      apply_mask(masked, layers[i], choose_mask(scores[i], layers[i], pattern, ratio));
      one.errors.push_back(relative_error(dense, outputs_of(masked, batches)));
      phase.advance();
    }
    result.push_back(std::move(one));
  }
  return result;
}

std::vector<double> weight_ratios_by_error(const std::vector<GroupSensitivity>& sensitivity,
                                           std::span<const Layer> layers, std::span<const double> ratios, double ratio,
                                           double most) {
  double all = 0;
  for (const Layer& layer : layers) all += static_cast<double>(layer.rows * layer.columns);
  const auto shares = [&](double strength) {
    // Errors from a millionth of the outputs' power to a thousand times it; beyond, all goes that may.
    const double limit = strength >= 1 ? HUGE_VAL : std::pow(10.0, -6 + 9 * strength);
    std::vector<double> result = ratios_below(sensitivity, ratios, layers.size(), limit);
    for (double& one : result) one = strength >= 1 ? most : std::min(one, most);
    return result;
  };
  const auto taken = [&](const std::vector<double>& by_layer) {
    double sum = 0;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      sum += by_layer[i] * static_cast<double>(layers[i].rows * layers[i].columns);
    }
    return sum / all;
  };
  double low = 0, high = 1;
  for (int step = 0; step < 30; ++step) {
    const double middle = (low + high) / 2;
    (taken(shares(middle)) < ratio ? low : high) = middle;
  }
  // Between the last two, which may lie far apart where many layers jump at once.
  const std::vector<double> less = low > 0 ? shares(low) : std::vector<double>(layers.size(), 0.0);
  std::vector<double> more = shares(high);
  const double a = taken(less), b = taken(more);
  const double part = b > a ? std::clamp((ratio - a) / (b - a), 0.0, 1.0) : 1.0;
  for (std::size_t i = 0; i < more.size(); ++i) more[i] = less[i] + part * (more[i] - less[i]);
  return more;
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
