#include <algorithm>
#include <cmath>
#include <set>

#include "adze/prune/criteria.h"
#include "adze/prune/posterior.h"
#include "adze/prune/schedules.h"

namespace adze::prune {

namespace {

/// A channel: the elements that are pulled at together.
struct Pulled {
  std::vector<Gated> elements;
  double strength = 0;
};

bool is_batch_norm_input(const Graph& graph, const Member& member, std::size_t input) {
  return member.constant && std::any_of(member.roles.begin(), member.roles.end(), [&](const RoleEntry& role) {
           return role.input == input && graph.node(role.node).kind == OpKind::BatchNormalization;
         });
}

/// The elements of scales (and shifts) of batch norms, by unit; empty when there is none.
std::vector<std::vector<Gated>> batch_norm_elements(const Graph& graph, const Group& group, bool shifts) {
  std::vector<std::vector<Gated>> units(static_cast<std::size_t>(group.size));
  bool found = false;
  for (const Member& member : group.members) {
    if (!is_batch_norm_input(graph, member, 1) && !(shifts && is_batch_norm_input(graph, member, 2))) continue;
    found = true;
    for (std::int64_t unit = 0; unit < group.size; ++unit) {
      const auto of = member.of(unit);
      units[static_cast<std::size_t>(unit)].push_back({member.value, {of.begin(), of.end()}});
    }
  }
  if (!found) units.clear();
  return units;
}

/// MACs that go with one unit of each group, over their mean.
std::vector<double> unit_costs(const Graph& graph, const Groups& groups) {
  const auto all = static_cast<double>(size_of(graph).macs);
  std::vector<double> costs;
  double sum = 0;
  for (std::size_t g = 0; g < groups.groups.size(); ++g) {
    double cost = 0;
    if (groups.groups[g].size > 1) {
      const Selection one{g, {0}};
      cost = all - static_cast<double>(size_of(remove_units(graph, groups, {&one, 1})).macs);
    }
    costs.push_back(cost);
    sum += cost;
  }
  for (double& cost : costs) cost *= static_cast<double>(costs.size()) / std::max(1.0, sum);
  return costs;
}

std::vector<Pulled> pulled_channels(const Graph& graph, const Penalty& penalty) {
  const Groups groups = find_groups(graph);
  const std::vector<Layer> layers = weight_layers(graph);
  const auto weights = unit_gates(graph, groups, layers);
  const bool scales = penalty.kind == Penalty::Kind::Scales || penalty.kind == Penalty::Kind::Cost;
  const auto costs = penalty.kind == Penalty::Kind::Cost ? unit_costs(graph, groups) : std::vector<double>{};
  std::vector<Pulled> result;
  std::size_t first = 0;
  for (std::size_t g = 0; g < groups.groups.size(); ++g) {
    const Group& group = groups.groups[g];
    const auto norms = batch_norm_elements(graph, group, !scales);
    for (std::size_t unit = 0; unit < static_cast<std::size_t>(group.size); ++unit) {
      Pulled one;
      one.strength = penalty.strength * (costs.empty() ? 1 : costs[g]);
      if (!norms.empty() && penalty.kind != Penalty::Kind::Growing) {
        one.elements = norms[unit];
      } else if (!scales) {
        one.elements = weights[first + unit];
        if (!norms.empty()) one.elements.insert(one.elements.end(), norms[unit].begin(), norms[unit].end());
      }
      if (!one.elements.empty()) result.push_back(std::move(one));
    }
    first += static_cast<std::size_t>(group.size);
  }
  if (penalty.kind != Penalty::Kind::Growing) return result;
  // Only those that are to go: the smallest by L2 of their weights, over all groups.
  std::vector<std::vector<double>> scores;
  for (const Group& group : groups.groups) {
    scores.push_back(unit_scores({{{1.0, Criterion::L2}}}, Normalization::Mean, graph, group, layers, {}));
  }
  std::vector<Pulled> chosen;
  std::vector<std::size_t> begin(groups.groups.size());
  for (std::size_t g = 1; g < begin.size(); ++g) {
    begin[g] = begin[g - 1] + static_cast<std::size_t>(groups.groups[g - 1].size);
  }
  for (const Selection& selection : choose_globally(groups, scores, penalty.ratio)) {
    for (const std::int64_t unit : selection.units) {
      chosen.push_back(result.at(begin[selection.group] + static_cast<std::size_t>(unit)));
    }
  }
  return chosen;
}

class Pulling {
 public:
  Pulling(const Graph& graph, const Penalty& penalty, std::function<double(std::int64_t, std::int64_t)> rate)
      : penalty_(penalty), rate_(std::move(rate)), channels_(pulled_channels(graph, penalty)) {
    if (channels_.empty()) {
      throw UsageError("there are no batch norms whose scales could be pulled at",
                       "a network whose batch norms are not folded, or --penalty groups");
    }
    for (const Pulled& one : channels_) {
      for (const Gated& part : one.elements) names_.emplace(part.weight, graph.value(part.weight).name);
    }
  }

  void operator()(train::Learner& learner, std::int64_t step, std::int64_t steps) const {
    std::map<ValueId, Tensor> tensors;
    for (const auto& [id, name] : names_) tensors.emplace(id, learner.parameter(name));
    const double rate = rate_(step, steps);
    const double grown = static_cast<double>(step) / static_cast<double>(std::max<std::int64_t>(1, steps));
    for (const Pulled& one : channels_) {
      double norm = 0, count = 0;
      for (const Gated& part : one.elements) {
        const auto data = tensors.at(part.weight).data<float>();
        for (const std::int64_t e : part.elements) {
          norm += static_cast<double>(data[static_cast<std::size_t>(e)]) * data[static_cast<std::size_t>(e)];
        }
        count += static_cast<double>(part.elements.size());
      }
      norm = std::sqrt(norm);
      double factor = 0;
      if (penalty_.kind == Penalty::Kind::Growing) {
        factor = std::max(0.0, 1 - rate * one.strength * grown);
      } else if (norm > 0) {
        factor = std::max(0.0, 1 - rate * one.strength * std::sqrt(count) / norm);
      }
      for (const Gated& part : one.elements) {
        const auto data = tensors.at(part.weight).mutable_data<float>();
        for (const std::int64_t e : part.elements) data[static_cast<std::size_t>(e)] *= static_cast<float>(factor);
      }
    }
    for (const auto& [id, name] : names_) learner.set_parameter(name, tensors.at(id));
  }

 private:
  Penalty penalty_;
  std::function<double(std::int64_t, std::int64_t)> rate_;
  std::vector<Pulled> channels_;
  std::map<ValueId, std::string> names_;
};

}  // namespace

train::StepHook penalty_hook(const Graph& graph, const Penalty& penalty,
                             std::function<double(std::int64_t, std::int64_t)> rate) {
  auto pulling = std::make_shared<Pulling>(graph, penalty, std::move(rate));
  return
      [pulling](train::Learner& learner, std::int64_t step, std::int64_t steps) { (*pulling)(learner, step, steps); };
}

}  // namespace adze::prune
