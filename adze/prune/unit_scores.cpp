#include <algorithm>
#include <cmath>

#include "adze/base/random.h"
#include "adze/base/text.h"
#include "adze/prune/criteria.h"

namespace adze::prune {

namespace {

struct View {
  const Graph& graph;
  const Group& group;
  std::span<const Layer> layers;
  const Statistics& statistics;
};

using Scorer = std::vector<double> (*)(Criterion, const View&);

bool has_role(const Member& member, Role wanted) {
  return std::any_of(member.roles.begin(), member.roles.end(), [&](const RoleEntry& r) { return r.role == wanted; });
}

/// Calls add(unit, matrix index of a weight) for the weights that produce each unit.
template <typename Add>
void for_produced(const Layer& layer, const Member& member, std::int64_t units, const Tensor& weight, const Add& add) {
  const auto stride = row_major_strides(weight.shape())[static_cast<std::size_t>(member.axis)];
  const std::int64_t columns = weight.dim(member.axis), outer = weight.size() / (columns * stride);
  for (std::int64_t unit = 0; unit < units; ++unit) {
    for (const std::int64_t index : member.of(unit)) {
      for (std::int64_t o = 0; o < outer; ++o) {
        const std::int64_t begin = (o * columns + index) * stride;
        for (std::int64_t place = begin; place < begin + stride; ++place) {
          const std::int64_t at = layer.transposed ? place % layer.rows * layer.columns + place / layer.rows : place;
          add(unit, static_cast<std::size_t>(at));
        }
      }
    }
  }
}

/// The layers whose weights produce the group's units, with their member.
template <typename Visit>
void for_producers(const View& view, const Visit& visit) {
  for (const Member& member : view.group.members) {
    if (!member.constant || !has_role(member, Role::Produces)) continue;
    const auto layer = std::find_if(view.layers.begin(), view.layers.end(),
                                    [&](const Layer& one) { return one.weight == member.value; });
    if (layer != view.layers.end()) visit(*layer, member, *view.graph.constant(member.value));
  }
}

/// Squares add up to a norm; others add up as they are.
std::vector<double> from_weights(Criterion criterion, const View& view) {
  std::vector<double> total(static_cast<std::size_t>(view.group.size));
  for_producers(view, [&](const Layer& layer, const Member& member, const Tensor& weight) {
    const std::vector<double> scores = weight_scores(criterion, view.graph, layer, view.statistics);
    for_produced(layer, member, view.group.size, weight,
                 [&](std::int64_t unit, std::size_t i) { total[static_cast<std::size_t>(unit)] += scores[i]; });
  });
  if (criterion == Criterion::L2) {
    for (double& score : total) score = std::sqrt(score);
  }
  return total;
}

/// LAMP of units: squared norm over the sum of those not smaller.
std::vector<double> lamp(Criterion, const View& view) {
  std::vector<double> scores = from_weights(Criterion::L2, view);
  std::vector<double> sorted = scores;
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  for (double& score : scores) {
    double sum = 0;
    for (const double other : sorted) {
      if (other < score) break;
      sum += other * other;
    }
    score = sum > 0 ? score * score / sum : 0;
  }
  return scores;
}

std::vector<double> random(Criterion, const View& view) {
  Random generator = Random(view.statistics.seed).split(static_cast<std::uint64_t>(view.group.members[0].value));
  std::vector<double> scores(static_cast<std::size_t>(view.group.size));
  for (double& score : scores) score = generator.uniform();
  return scores;
}

/// (Σ w dL/dw)² of each batch, averaged.
std::vector<double> taylor(Criterion, const View& view) {
  std::vector<double> total(static_cast<std::size_t>(view.group.size));
  std::size_t batches = 0;
  for_producers(view, [&](const Layer& layer, const Member&, const Tensor&) {
    const auto found = view.statistics.gradients.find(layer.weight);
    if (found == view.statistics.gradients.end()) {
      throw UsageError(cat("no gradients were measured for ", view.graph.value(layer.weight).name));
    }
    batches = found->second.size();
  });
  for (std::size_t batch = 0; batch < batches; ++batch) {
    std::vector<double> sums(total.size());
    for_producers(view, [&](const Layer&, const Member& member, const Tensor& weight) {
      const auto gradient = view.statistics.gradients.at(member.value)[batch].data<float>();
      const auto weights = weight.data<float>();
      Layer flat;  // the gradient lies as the weights do
      for_produced(flat, member, view.group.size, weight, [&](std::int64_t unit, std::size_t i) {
        sums[static_cast<std::size_t>(unit)] += static_cast<double>(gradient[i]) * weights[i];
      });
    });
    for (std::size_t i = 0; i < sums.size(); ++i) total[i] += sums[i] * sums[i] / static_cast<double>(batches);
  }
  return total;
}

std::vector<double> batch_norm_scale(Criterion, const View& view) {
  std::vector<double> total(static_cast<std::size_t>(view.group.size));
  bool found = false;
  for (const Member& member : view.group.members) {
    const bool is_scale =
        member.constant && std::any_of(member.roles.begin(), member.roles.end(), [&](const RoleEntry& r) {
          return r.input == 1 && view.graph.node(r.node).kind == OpKind::BatchNormalization;
        });
    if (!is_scale) continue;
    found = true;
    const auto scale = view.graph.constant(member.value)->data<float>();
    for (std::int64_t unit = 0; unit < view.group.size; ++unit) {
      for (const std::int64_t i : member.of(unit)) {
        total[static_cast<std::size_t>(unit)] += std::abs(scale[static_cast<std::size_t>(i)]);
      }
    }
  }
  if (found) return total;
  throw UsageError(cat(view.group.name, " has no batch norm to take scales from"),
                   "--criterion l2, or a network whose batch norms are not folded");
}

/// Σ over the others of the distance between the weights that produce two units.
std::vector<double> geometric_median(Criterion, const View& view) {
  const auto units = static_cast<std::size_t>(view.group.size);
  std::vector<std::vector<float>> rows(units);
  for_producers(view, [&](const Layer&, const Member& member, const Tensor& weight) {
    const auto weights = weight.data<float>();
    Layer flat;
    for_produced(flat, member, view.group.size, weight,
                 [&](std::int64_t unit, std::size_t i) { rows[static_cast<std::size_t>(unit)].push_back(weights[i]); });
  });
  std::vector<double> scores(units);
  for (std::size_t a = 0; a < units; ++a) {
    for (std::size_t b = a + 1; b < units; ++b) {
      float sum = 0;
      for (std::size_t i = 0; i < rows[a].size(); ++i) sum += (rows[a][i] - rows[b][i]) * (rows[a][i] - rows[b][i]);
      const double distance = std::sqrt(static_cast<double>(sum));
      scores[a] += distance;
      scores[b] += distance;
    }
  }
  return scores;
}

std::vector<double> from_activity(Criterion criterion, const View& view) {
  std::vector<double> total(static_cast<std::size_t>(view.group.size));
  bool found = false;
  for (const Member& member : view.group.members) {
    const auto entry = view.statistics.activity.find({member.value, member.axis});
    if (entry == view.statistics.activity.end()) continue;
    found = true;
    const AxisActivity& seen = entry->second;
    for (std::int64_t unit = 0; unit < view.group.size; ++unit) {
      for (const std::int64_t i : member.of(unit)) {
        const auto at = static_cast<std::size_t>(i);
        const double share =
            (criterion == Criterion::Activity ? seen.count - seen.zeros[at] : seen.sum_abs[at]) / seen.count;
        total[static_cast<std::size_t>(unit)] += share / static_cast<double>(member.per_unit);
      }
    }
  }
  if (!found) throw UsageError(cat("no activations were measured behind ", view.group.name));
  return total;
}

/// One for each unit, measured with all of the group: gates (shifted to be positive) and units left out.
std::vector<double> measured(Criterion criterion, const View& view) {
  const bool gates = criterion == Criterion::Gate;
  const auto& known = gates ? view.statistics.unit_gates : view.statistics.left_out;
  const auto found = known.find(key_of(view.group));
  if (found == known.end()) throw UsageError(cat("nothing was measured about ", view.group.name));
  std::vector<double> scores = found->second;
  constexpr double lowest_gate = -12;
  if (gates) {
    for (double& score : scores) score -= lowest_gate;
  }
  return scores;
}

Scorer scorer_of(Criterion criterion) {
  switch (criterion) {
    case Criterion::Lamp:
      return lamp;
    case Criterion::Random:
      return random;
    case Criterion::Taylor:
      return taylor;
    case Criterion::BatchNormScale:
      return batch_norm_scale;
    case Criterion::GeometricMedian:
      return geometric_median;
    case Criterion::Gate:
    case Criterion::LeaveOneOut:
      return measured;
    case Criterion::Activity:
    case Criterion::MeanActivation:
      return from_activity;
    default:
      return from_weights;
  }
}

}  // namespace

std::vector<double> unit_scores(Criterion criterion, const Graph& graph, const Group& group,
                                std::span<const Layer> layers, const Statistics& statistics) {
  return scorer_of(criterion)(criterion, {graph, group, layers, statistics});
}

}  // namespace adze::prune
