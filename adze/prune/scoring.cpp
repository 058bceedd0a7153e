#include "adze/prune/scoring.h"

#include <algorithm>

#include "adze/base/text.h"
#include "adze/prune/posterior.h"
#include "adze/prune/sensitivity.h"

namespace adze::prune {

namespace {

/// "criterion taylor", the first of those that need this.
std::string criterion_that(Needs need, const PruneOptions& options) {
  for (const auto& [factor, criterion] : options.criteria.terms) {
    if (criterion_info(criterion).needs == need) return cat("criterion ", criterion_info(criterion).name);
  }
  return "this criterion";
}

void learn_posterior(Statistics& statistics, Needs need, const Graph& graph, const Groups& groups,
                     std::span<const Layer> layers, const PruneOptions& options, const PruneInputs& inputs,
                     ProgressSink& progress) {
  if (!inputs.gradients)
    throw UsageError(cat(criterion_that(need, options), " learns from gradients"),
                     "give --data with labels, or --criterion l2");
  const auto source = inputs.gradients(graph);
  PosteriorOptions posterior;
  posterior.seed = options.seed;
  if (need == Needs::DropoutRates) {
    statistics.dropout_rates = dropout_rates(graph, layers, *source, posterior, progress);
    return;
  }
  if (!options.channels) {
    const std::vector<double> open = open_gates(graph, weight_gates(layers), *source, posterior, progress);
    auto next = open.begin();
    for (const Layer& layer : layers) {
      statistics.gates[layer.weight].assign(next, next + layer.rows * layer.columns);
      next += layer.rows * layer.columns;
    }
    return;
  }
  const std::vector<double> open = open_gates(graph, unit_gates(graph, groups, layers), *source, posterior, progress);
  auto next = open.begin();
  for (const Group& group : groups.groups) {
    statistics.unit_gates[key_of(group)].assign(next, next + group.size);
    next += group.size;
  }
}

}  // namespace

Statistics gather_statistics(const Graph& graph, const Groups& groups, std::span<const Layer> layers,
                             const PruneOptions& options, const PruneInputs& inputs, ProgressSink& progress) {
  Statistics statistics;
  statistics.seed = options.seed;
  for (const Needs need : needs_of(options.criteria)) {
    if (need == Needs::Activations) {
      if (inputs.batches.count == 0)
        throw UsageError(cat(criterion_that(need, options), " measures activations"), "give --data, or --criterion l2");
      statistics.activity = measure_activity(graph, observed_axes(graph, groups, layers), inputs.batches, progress);
    } else if (need == Needs::Gradients) {
      if (!inputs.gradients)
        throw UsageError(cat(criterion_that(need, options), " measures gradients"),
                         "give --data with labels, or --criterion l2");
      const auto source = inputs.gradients(graph);
      statistics.gradients = collect_gradients(graph, *source, progress);
    } else if (need == Needs::DropoutRates || need == Needs::Gates) {
      learn_posterior(statistics, need, graph, groups, layers, options, inputs, progress);
    } else if (need == Needs::LeavingOut) {
      if (inputs.batches.count == 0)
        throw UsageError(cat(criterion_that(need, options), " measures outputs"), "give --data, or --criterion l2");
      statistics.left_out = measure_left_out(graph, groups, inputs.batches, progress);
    } else if (need == Needs::Start) {
      if (!inputs.start)
        throw UsageError(cat(criterion_that(need, options), " looks at where training began"),
                         "give the model before its training as --start");
      for (const Layer& layer : layers) {
        const ValueId id = inputs.start->find_value(graph.value(layer.weight).name);
        const Tensor* weight = id == ValueId::None ? nullptr : inputs.start->constant(id);
        if (weight == nullptr || weight->shape() != graph.constant(layer.weight)->shape()) {
          throw UsageError(cat("the start ", inputs.start->source_file, " has no weights ",
                               adze::quoted(graph.value(layer.weight).name), " of shape ",
                               shape_text(graph.constant(layer.weight)->shape())),
                           "the file that the model was trained from, with the same names");
        }
        statistics.start.emplace(layer.weight, *weight);
      }
    }
  }
  return statistics;
}

namespace {

/// Does one of the patterns name a node that produces the group?
bool is_produced_by(const Graph& graph, const Group& group, const std::vector<std::string>& patterns) {
  for (const Member& member : group.members) {
    for (const RoleEntry& role : member.roles) {
      if (role.role == Role::Produces && is_named(graph.node(role.node), patterns)) return true;
    }
  }
  return false;
}

}  // namespace

std::optional<double> own_ratio(const Graph& graph, const Group& group, const std::vector<OwnRatio>& own) {
  for (const OwnRatio& one : own) {
    if (is_produced_by(graph, group, {one.pattern})) return one.ratio;
  }
  return std::nullopt;
}

std::optional<double> own_ratio(const Graph& graph, const Layer& layer, const std::vector<OwnRatio>& own) {
  for (const OwnRatio& one : own) {
    if (is_named(graph.node(layer.node), {one.pattern})) return one.ratio;
  }
  return std::nullopt;
}

std::vector<std::vector<double>> score_groups(const Graph& graph, const Groups& groups, const PruneOptions& options,
                                              const PruneInputs& inputs, ProgressSink& progress) {
  const std::vector<Layer> layers = weight_layers(graph);
  const Statistics statistics = gather_statistics(graph, groups, layers, options, inputs, progress);
  std::vector<std::vector<double>> scores;
  for (const Group& group : groups.groups) {
    if (is_produced_by(graph, group, options.skip)) {
      scores.emplace_back();
    } else {
      scores.push_back(unit_scores(options.criteria, options.normalization, graph, group, layers, statistics));
    }
  }
  return scores;
}

}  // namespace adze::prune
