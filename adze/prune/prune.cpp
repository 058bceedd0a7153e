#include "adze/prune/prune.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "adze/base/text.h"
#include "adze/graph/facts.h"
#include "adze/prune/gram.h"
#include "adze/prune/obs.h"
#include "adze/prune/reconstruct.h"
#include "adze/prune/scoring.h"
#include "adze/prune/sensitivity.h"
#include "adze/prune/zeros.h"

namespace adze::prune {

namespace {

constexpr double measured_ratios[] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};

bool is_quantization(OpKind kind) {
  switch (kind) {
    case OpKind::DequantizeLinear:
    case OpKind::DynamicQuantizeLinear:
    case OpKind::MatMulInteger:
    case OpKind::ConvInteger:
    case OpKind::QLinearConv:
    case OpKind::QLinearMatMul:
      return true;
    default:
      return false;
  }
}

/// Scores that are not numbers cannot be put in order.
void check_scores(const std::vector<double>& scores, const std::string& name, const Graph& graph) {
  if (std::none_of(scores.begin(), scores.end(), [](double score) { return std::isnan(score); })) return;
  throw ModelError(
      cat("the scores of ", adze::quoted(name), " are not numbers: activations or gradients are too large"),
      {graph.source_file, name, ""}, "another --criterion, or other --data");
}

class Pruner {
 public:
  Pruner(Graph graph, const PruneOptions& options, const PruneInputs& inputs, ProgressSink& progress)
      : options_(options), inputs_(inputs), progress_(progress) {
    outcome_.graph = std::move(graph);
    outcome_.before = size_of(outcome_.graph);
  }

  PruneOutcome run() {
    check();
    if (inputs_.cost) outcome_.cost_before = inputs_.cost(outcome_.graph);
    for (std::int64_t round = 1; round <= options_.rounds; ++round) {
      if (options_.depth) {
        depth_round(round);
      } else if (options_.channels) {
        channel_round(round);
      } else {
        weight_round(round);
        keep_zeros();
      }
      if (inputs_.tune) outcome_.graph = inputs_.tune(outcome_.graph, round);
      note_round();
    }
    if (weight_facts(outcome_.graph).zeros) note_zeros(outcome_.graph);
    outcome_.after = size_of(outcome_.graph);
    if (inputs_.cost) outcome_.cost_after = inputs_.cost(outcome_.graph);
    for (const Layer& layer : weight_layers(outcome_.graph)) {
      const std::int64_t weights = layer.rows * layer.columns;
      const double zeros = zero_share(outcome_.graph, layer) * static_cast<double>(weights);
      outcome_.layers.push_back({layer_name(outcome_.graph, layer), weights, std::llround(zeros)});
    }
    return std::move(outcome_);
  }

 private:
  void check() const {
    if (!(options_.ratio >= 0) || options_.ratio >= 1) {
      throw UsageError(cat("the ratio is ", options_.ratio), "the share that goes, from 0 to below 1");
    }
    if (options_.rounds < 1) throw UsageError("at least one round");
    check_unquantized(outcome_.graph);
    check_finite_weights(outcome_.graph);
    if ((options_.target_latency || options_.on_steps) && !inputs_.cost) {
      throw UsageError("there is no way to measure what a cut saves");
    }
    if (!options_.channels && options_.target_macs) {
      throw UsageError("zero weights do not change the number of MACs of dense layers",
                       "--unit channels, or --ratio or --target-params");
    }
  }

  void keep_zeros() {
    WeightFacts facts = weight_facts(outcome_.graph);
    facts.zeros = true;
    set_weight_facts(outcome_.graph, facts);
  }

  /// The share that is to be left after this round, of what there was before the first.
  double left_after(double target, std::int64_t round) const {
    return std::pow(target, static_cast<double>(round) / static_cast<double>(options_.rounds));
  }

  void channel_round(std::int64_t round) {
    Graph& graph = outcome_.graph;
    const Groups groups = find_groups(graph);
    const auto scores = score_groups(graph, groups, options_, inputs_, progress_);
    if (std::all_of(scores.begin(), scores.end(), [](const auto& one) { return one.empty(); })) {
      throw ModelError("no channels of this network can be removed", {graph.source_file, "", ""},
                       "adze prune --dry-run says why; --unit weights zeroes single weights");
    }
    for (std::size_t g = 0; g < scores.size(); ++g) check_scores(scores[g], groups.groups[g].name, graph);
    auto others = scores;  // of groups whose share is not set
    for (std::size_t g = 0; g < scores.size(); ++g) {
      if (own_ratio(graph, groups.groups[g], options_.own)) others[g].clear();
    }
    if (round == 1) begin(groups, others);
    if (options_.on_steps) measure_steps(groups, scores, round);
    refused_.clear();
    const auto selections = choose(groups, scores, others, round);
    for (const std::string& text : refused_) outcome_.refused.push_back(cat("round ", round, ", ", text));
    note_removed(groups, scores, selections, round);
    if (options_.reconstruct) {
      const std::vector<Layer> layers = weight_layers(graph);
      const auto grams = measure_grams(graph, layers, inputs_.batches, {}, progress_);
      reconstruct_consumers(graph, groups, selections, layers, grams);
    }
    graph = remove_units(std::move(graph), groups, selections);
    if (inputs_.batches.count > 0) estimate_batch_norms(graph, inputs_.batches, progress_);
  }

  /// The units of groups whose share is set that are to go in this round.
  std::vector<Selection> choose_own(const Groups& groups, const std::vector<std::vector<double>>& scores,
                                    std::int64_t round) const {
    std::vector<double> ratios(scores.size(), 0.0);
    for (std::size_t g = 0; g < scores.size(); ++g) {
      const Group& group = groups.groups[g];
      const auto own = own_ratio(outcome_.graph, group, options_.own);
      const auto first = std::find_if(outcome_.groups.begin(), outcome_.groups.end(),
                                      [&](const GroupOutcome& one) { return one.name == group.name; });
      if (!own || first == outcome_.groups.end()) continue;
      ratios[g] = 1 - left_after(1 - *own, round) * static_cast<double>(first->size) / static_cast<double>(group.size);
    }
    return choose_by_group(groups, scores, ratios, options_.limits);
  }

  /// others: the scores of groups whose share is not set.
  std::vector<Selection> choose(const Groups& groups, const std::vector<std::vector<double>>& scores,
                                const std::vector<std::vector<double>>& others, std::int64_t round) {
    const std::vector<Selection> own = choose_own(groups, scores, round);
    const auto plain = strength_function(groups, others);
    const auto by_strength = [&](double strength) {
      std::vector<Selection> all = plain(strength);
      all.insert(all.end(), own.begin(), own.end());
      return landed(groups, scores, std::move(all));
    };
    if (options_.target_latency) {
      const Cost share = [&](std::span<const Selection> selections) {
        return inputs_.cost(remove_units(outcome_.graph, groups, selections)) / std::max(1e-9, outcome_.cost_before);
      };
      return choose_for_cost(by_strength, share, left_after(*options_.target_latency, round));
    }
    if (options_.target_macs) {
      return choose_for_cost(by_strength, size_share(groups, &Size::macs), left_after(*options_.target_macs, round));
    }
    if (options_.target_params) {
      return choose_for_cost(by_strength, size_share(groups, &Size::parameters),
                             left_after(*options_.target_params, round));
    }
    std::int64_t units = 0;
    for (const auto& one : others) units += static_cast<std::int64_t>(one.size());
    if (units == 0) return by_strength(0);
    const double wanted = left_after(1 - options_.ratio, round) * static_cast<double>(first_units_);
    const double ratio = std::clamp(1 - wanted / static_cast<double>(units), 0.0, 1.0);
    if (options_.spread != Spread::Sensitivity) return by_strength(ratio);
    return choose_for_cost(
        by_strength,
        [&](std::span<const Selection> selections) {
          std::int64_t gone = 0;
          for (const Selection& one : selections) {
            if (!others[one.group].empty()) gone += static_cast<std::int64_t>(one.units.size());
          }
          return 1 - static_cast<double>(gone) / static_cast<double>(units);
        },
        1 - ratio);
  }

  void measure_steps(const Groups& groups, const std::vector<std::vector<double>>& scores, std::int64_t round) {
    StaircaseOptions staircase = options_.staircase;
    staircase.multiple = options_.limits.round_to;
    staircases_ = measure_staircases(outcome_.graph, groups, scores, inputs_.cost, staircase, progress_);
    if (round == 1) outcome_.staircases = staircases_;
  }

  std::vector<Selection> landed(const Groups& groups, const std::vector<std::vector<double>>& scores,
                                std::vector<Selection> selections) {
    if (!options_.on_steps) return selections;
    Landing landing = land_on_steps(groups, scores, selections, staircases_, options_.step_tolerance);
    refused_ = std::move(landing.refused);
    return std::move(landing.selections);
  }

  Error nothing_to_go_around() const {
    const ErrorPlace place{outcome_.graph.source_file, "", ""};
    switch (*options_.depth) {
      case Depth::Blocks:
        return ModelError("no residual block of this network can be gone around", place, "--unit layers or channels");
      case Depth::Layers:
        return ModelError("no layer of this network gives the shape it takes", place, "--unit channels");
      default:
        return ModelError("no two layers of this network would take fewer MACs as one", {},
                          "padded windows cannot be merged exactly; --unit blocks, layers or channels");
    }
  }

  /// Goes around those blocks or layers whose absence changes the outputs least, one after the other.
  void depth_round(std::int64_t round) {
    if (round == 1) {
      first_parts_ = static_cast<std::int64_t>(find_bypasses(outcome_.graph, *options_.depth, options_.skip).size());
      if (first_parts_ == 0) throw nothing_to_go_around();
    }
    const double wanted = left_after(1 - options_.ratio, round) * static_cast<double>(first_parts_);
    while (true) {
      const auto parts = find_bypasses(outcome_.graph, *options_.depth, options_.skip);
      if (parts.empty() || !goes_on(static_cast<double>(parts.size()), wanted, round)) break;
      const auto errors = bypass_errors(outcome_.graph, parts, inputs_.batches, progress_);
      const auto least = static_cast<std::size_t>(std::min_element(errors.begin(), errors.end()) - errors.begin());
      outcome_.groups.push_back({parts[least].name, 1, {0}, {errors[least]}, 0, {}});
      outcome_.graph = bypassed(std::move(outcome_.graph), parts[least]);
      merge_layers_at(outcome_.graph, parts[least].from);
    }
    if (inputs_.batches.count > 0) estimate_batch_norms(outcome_.graph, inputs_.batches, progress_);
  }

  /// Is there still too much, of parts or by a target?
  bool goes_on(double parts, double wanted, std::int64_t round) const {
    const auto share = [&](std::int64_t Size::*what) {
      return static_cast<double>(size_of(outcome_.graph).*what) /
             static_cast<double>(std::max<std::int64_t>(1, outcome_.before.*what));
    };
    if (options_.target_macs) return share(&Size::macs) > left_after(*options_.target_macs, round);
    if (options_.target_params) return share(&Size::parameters) > left_after(*options_.target_params, round);
    if (options_.target_latency) {
      return inputs_.cost(outcome_.graph) / outcome_.cost_before > left_after(*options_.target_latency, round);
    }
    return parts - 0.5 > wanted;
  }

  std::function<std::vector<Selection>(double)> strength_function(const Groups& groups,
                                                                  const std::vector<std::vector<double>>& scores) {
    if (options_.spread == Spread::Global) {
      return [&](double ratio) { return choose_globally(groups, scores, ratio, options_.limits); };
    }
    if (options_.spread == Spread::ByGroup) {
      return [&](double ratio) {
        return choose_by_group(groups, scores, std::vector<double>(scores.size(), ratio), options_.limits);
      };
    }
    if (inputs_.batches.count == 0) throw UsageError("sensitivity is measured on data", "give --data");
    auto measured = measure_sensitivity(outcome_.graph, groups, scores, measured_ratios, inputs_.batches, progress_);
    return [this, &groups, &scores, measured = std::move(measured)](double strength) {
      // Errors from a millionth of the outputs' power to a thousand times it.
      const double limit = strength >= 1 ? HUGE_VAL : std::pow(10.0, -6 + 9 * strength);
      const auto ratios = ratios_below(measured, measured_ratios, scores.size(), limit);
      return choose_by_group(groups, scores, ratios, options_.limits);
    };
  }

  Cost size_share(const Groups& groups, std::int64_t Size::*what) const {
    return [this, &groups, what](std::span<const Selection> selections) {
      const Size size = size_of(remove_units(outcome_.graph, groups, selections));
      return static_cast<double>(size.*what) / static_cast<double>(std::max<std::int64_t>(1, outcome_.before.*what));
    };
  }

  void weight_round(std::int64_t round) {
    Graph& graph = outcome_.graph;
    std::vector<Layer> layers = weight_layers(graph, options_.skip);
    if (layers.empty())
      throw ModelError("no weights of this network can be pruned", {graph.source_file, "", ""},
                       "layers with constant float weights are: Conv, Gemm, MatMul, LSTM, GRU and RNN");
    const double target = options_.target_params.value_or(1 - options_.ratio);
    const double ratio = 1 - left_after(target, round);
    if (options_.surgeon) return surgeon_round(layers, ratio, round);
    auto scores = score_weights(graph, layers, options_, inputs_, progress_);
    for (std::size_t i = 0; i < layers.size(); ++i) check_scores(scores[i], layer_name(graph, layers[i]), graph);
    prune_own_layers(layers, scores, round);
    if (options_.spread == Spread::Global) {
      const auto masks = choose_masks(scores, layers, options_.pattern, ratio, options_.limits.max_ratio);
      for (std::size_t i = 0; i < layers.size(); ++i) apply_mask(graph, layers[i], masks[i]);
      return;
    }
    std::vector<double> ratios(layers.size(), ratio);
    if (options_.spread == Spread::Sensitivity) ratios = sensitive_ratios(layers, scores, ratio);
    for (std::size_t i = 0; i < layers.size(); ++i) {
      apply_mask(graph, layers[i], choose_mask(scores[i], layers[i], options_.pattern, ratios[i]));
    }
  }

  /// Zeroes weights of the layers whose share is set, and takes those layers from the lists.
  void prune_own_layers(std::vector<Layer>& layers, std::vector<std::vector<double>>& scores, std::int64_t round) {
    for (std::size_t i = layers.size(); i-- > 0;) {
      const auto own = own_ratio(outcome_.graph, layers[i], options_.own);
      if (!own) continue;
      const double ratio = 1 - left_after(1 - *own, round);
      apply_mask(outcome_.graph, layers[i], choose_mask(scores[i], layers[i], options_.pattern, ratio));
      layers.erase(layers.begin() + static_cast<std::ptrdiff_t>(i));
      scores.erase(scores.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }

  /// For each layer the share that costs as much as every other layer's does.
  std::vector<double> sensitive_ratios(const std::vector<Layer>& layers, const std::vector<std::vector<double>>& scores,
                                       double ratio) {
    std::vector<double> tried(std::begin(measured_ratios), std::end(measured_ratios));
    tried.insert(tried.end(), {0.95, 0.98});
    const auto measured =
        measure_weight_sensitivity(outcome_.graph, layers, scores, options_.pattern, tried, inputs_.batches, progress_);
    return weight_ratios_by_error(measured, layers, tried, ratio, options_.limits.max_ratio);
  }

  void surgeon_round(const std::vector<Layer>& layers, double ratio_of_others, std::int64_t round) {
    Graph& graph = outcome_.graph;
    if (inputs_.batches.count == 0) throw UsageError("the surgeon measures layers' inputs", "give --data");
    const auto grams = measure_grams(graph, layers, inputs_.batches, {}, progress_);
    for (const Layer& layer : layers) {
      const auto own = own_ratio(graph, layer, options_.own);
      const double ratio = own ? 1 - left_after(1 - *own, round) : ratio_of_others;
      const auto gram = grams.find(layer.weight);
      if (gram != grams.end()) {
        prune_by_obs(graph, layer, gram->second, options_.pattern, ratio);
      } else {
        const auto scores = weight_scores(Criterion::L1, graph, layer, {});
        apply_mask(graph, layer, choose_mask(scores, layer, options_.pattern, ratio));
      }
    }
  }

  /// Notes the groups there are before the first round.
  void begin(const Groups& groups, const std::vector<std::vector<double>>& scores) {
    outcome_.fixed = groups.fixed;
    for (std::size_t g = 0; g < groups.groups.size(); ++g) {
      const Group& group = groups.groups[g];
      GroupOutcome one;
      one.name = group.name;
      one.size = group.size;
      one.inexact = group.inexact;
      outcome_.groups.push_back(std::move(one));
      auto& numbers = numbers_[group.name];
      for (std::int64_t unit = 0; unit < group.size; ++unit) numbers.push_back(unit);
      first_units_ += static_cast<std::int64_t>(scores[g].size());
    }
  }

  void note_removed(const Groups& groups, const std::vector<std::vector<double>>& scores,
                    std::span<const Selection> selections, std::int64_t round) {
    for (const Selection& selection : selections) {
      const Group& group = groups.groups[selection.group];
      const auto found = std::find_if(outcome_.groups.begin(), outcome_.groups.end(),
                                      [&](const GroupOutcome& one) { return one.name == group.name; });
      auto& numbers = numbers_[group.name];
      if (found == outcome_.groups.end() || static_cast<std::int64_t>(numbers.size()) != group.size) continue;
      for (const std::int64_t unit : selection.units) {
        found->removed.push_back(numbers[static_cast<std::size_t>(unit)]);
        found->scores.push_back(scores[selection.group][static_cast<std::size_t>(unit)]);
        found->rounds.push_back(round);
        numbers[static_cast<std::size_t>(unit)] = -1;
      }
      found->kept.clear();
      found->smallest_kept = HUGE_VAL;
      for (std::size_t i = 0; i < numbers.size(); ++i) {
        if (numbers[i] < 0) continue;
        found->smallest_kept = std::min(found->smallest_kept, scores[selection.group][i]);
        found->kept.emplace_back(numbers[i], scores[selection.group][i]);
      }
      numbers.erase(std::remove(numbers.begin(), numbers.end(), -1), numbers.end());
    }
    note_whole(groups, scores, selections);
  }

  /// The scores of groups that lost nothing in this round.
  void note_whole(const Groups& groups, const std::vector<std::vector<double>>& scores,
                  std::span<const Selection> selections) {
    for (GroupOutcome& one : outcome_.groups) {
      for (std::size_t g = 0; g < groups.groups.size(); ++g) {
        const bool lost = std::any_of(selections.begin(), selections.end(),
                                      [&](const Selection& selection) { return selection.group == g; });
        const auto& numbers = numbers_[one.name];
        if (groups.groups[g].name != one.name || lost || scores[g].size() != numbers.size()) continue;
        one.kept.clear();
        for (std::size_t i = 0; i < numbers.size(); ++i) one.kept.emplace_back(numbers[i], scores[g][i]);
        if (!scores[g].empty()) one.smallest_kept = *std::min_element(scores[g].begin(), scores[g].end());
      }
    }
  }

  void note_round() {
    RoundOutcome round;
    round.size = size_of(outcome_.graph);
    for (const GroupOutcome& group : outcome_.groups) {
      const auto left = group.size - static_cast<std::int64_t>(group.removed.size());
      round.units += left;
      round.left.push_back(static_cast<double>(left) / static_cast<double>(group.size));
    }
    if (!options_.channels && !options_.depth) {
      for (const Layer& layer : weight_layers(outcome_.graph))
        round.left.push_back(1 - zero_share(outcome_.graph, layer));
    }
    if (options_.depth) round.left.clear();
    outcome_.rounds.push_back(std::move(round));
  }

  const PruneOptions& options_;
  const PruneInputs& inputs_;
  ProgressSink& progress_;
  PruneOutcome outcome_;
  std::vector<Staircase> staircases_;  ///< of this round
  std::vector<std::string> refused_;   ///< by the last choice
  std::int64_t first_parts_ = 0;
  std::int64_t first_units_ = 0;                              ///< before the first round, of groups that may shrink
  std::map<std::string, std::vector<std::int64_t>> numbers_;  ///< of what is left of each group, as at the beginning
};

}  // namespace

std::vector<std::vector<double>> score_weights(const Graph& graph, const std::vector<Layer>& layers,
                                               const PruneOptions& options, const PruneInputs& inputs,
                                               ProgressSink& progress) {
  const Statistics statistics = gather_statistics(graph, {}, layers, options, inputs, progress);
  std::vector<std::vector<double>> scores;
  for (const Layer& layer : layers) {
    scores.push_back(weight_scores(options.criteria, options.normalization, graph, layer, statistics));
  }
  // What is 0 already stays 0: it comes before all that is not, in any layer.
  double lowest = 0;
  for (const auto& one : scores) {
    for (const double score : one) lowest = std::min(lowest, score);
  }
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    const std::vector<float> weights = weight_matrix(graph, layers[layer]);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      if (weights[i] == 0) scores[layer][i] = lowest - 1e-9;
    }
  }
  return scores;
}

void check_unquantized(const Graph& graph) {
  for (const NodeId id : graph.node_ids()) {
    if (!is_quantization(graph.node(id).kind)) continue;
    throw UnsupportedError("the network is quantized", place_of(graph, graph.node(id)),
                           "prune the float network, then quantize it");
  }
}

PruneOutcome prune(Graph graph, const PruneOptions& options, const PruneInputs& inputs, ProgressSink& progress) {
  return Pruner(std::move(graph), options, inputs, progress).run();
}

}  // namespace adze::prune
