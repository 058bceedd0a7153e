#include "adze/prune/sensitivity.h"

#include "adze/prune/allocate.h"
#include "adze/prune/measuring.h"

namespace adze::prune {

namespace {

using Outputs = std::vector<std::vector<Tensor>>;  // by batch

Outputs outputs_of(const Graph& graph, const Batches& batches) {
  Session session(graph, measuring_options());
  Outputs outputs;
  for (std::int64_t i = 0; i < batches.count; ++i) {
    check_cancelled();
    outputs.push_back(session.run(batches.batch(i)));
  }
  return outputs;
}

double relative_error(const Outputs& wanted, const Outputs& got) {
  double error = 0, square = 0;
  for (std::size_t batch = 0; batch < wanted.size(); ++batch) {
    for (std::size_t o = 0; o < wanted[batch].size(); ++o) {
      const auto a = to_floats(wanted[batch][o]), b = to_floats(got[batch][o]);
      for (std::size_t i = 0; i < a.size(); ++i) {
        error += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
        square += static_cast<double>(a[i]) * a[i];
      }
    }
  }
  return square > 0 ? error / square : error;
}

}  // namespace

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
