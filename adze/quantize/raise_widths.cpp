#include <algorithm>

#include "adze/base/text.h"
#include "adze/evaluate/metrics.h"
#include "adze/quantize/bits.h"
#include "adze/quantize/mixed.h"

namespace adze::quantize {

namespace {

constexpr int widths[] = {2, 3, 4, 5, 6, 8};

int next_width(int bits) {
  const int* found = std::upper_bound(std::begin(widths), std::end(widths), bits);
  return found == std::end(widths) ? bits : *found;
}

BitWidths raised(const BitWidths& bits) {
  return {next_width(bits.weights), next_width(bits.activations)};
}

}  // namespace

RaiseStep judged(const EvaluateResult& exact, const EvaluateResult& found) {
  std::int64_t both = 0, only_exact = 0, only_found = 0, neither = 0;
  for (std::size_t i = 0; i < std::min(exact.labels.size(), found.labels.size()); ++i) {
    const bool a = exact.predictions[i] == exact.labels[i], b = found.predictions[i] == found.labels[i];
    ++(a && b ? both : a ? only_exact : b ? only_found : neither);
  }
  RaiseStep step;
  step.top1 = found.top1;
  step.drop = exact.top1 - found.top1;
  const Interval drop = paired_difference_interval(both, only_exact, only_found, neither);
  step.interval = found.interval;
  step.lowest_drop = drop.low;
  step.highest_drop = drop.high;
  step.p_value = mcnemar(only_exact, only_found).mid_p;
  return step;
}

RaiseOutcome raise_widths(const Trials& trials, const PtqOptions& options, double max_drop, const EvaluateResult& exact,
                          const JudgeFunction& judge, ProgressSink& progress) {
  RaiseOutcome outcome;
  struct Layer {
    NodeId id;
    double now, next;  ///< damage at its widths, and at the next
  };
  std::vector<Layer> layers;
  const LayerWidths start(trials.graph(), options);
  {
    ProgressPhase phase(progress, "damage of layers", std::ssize(trials.layers()), "layers");
    for (const NodeId id : trials.layers()) {
      check_cancelled();
      const std::string& name = trials.graph().node(id).name;
      const BitWidths bits = start.of(id);
      outcome.layer_bits.push_back({name, bits});
      layers.push_back({id, trials.one_layer(id, bits), trials.one_layer(id, raised(bits))});
      phase.advance(1, name);
    }
  }
  ProgressPhase phase(progress, "raise", 0, "steps");
  const auto judge_now = [&](std::string what, std::string why) {
    RaiseStep step = judged(exact, judge(trials.quantized(outcome.layer_bits)));
    step.what = std::move(what);
    step.why = std::move(why);
    std::int64_t weights = 0;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const std::int64_t count = trials.weights_of(layers[i].id);
      step.weight_bits += count * outcome.layer_bits[i].bits.weights;
      weights += count;
    }
    step.mean_bits = static_cast<double>(step.weight_bits) / static_cast<double>(std::max<std::int64_t>(1, weights));
    phase.advance(1, cat(step.what, ": at most ", fixed(100 * step.highest_drop, 2), " points lost"));
    outcome.within_limit = step.highest_drop <= max_drop;
    outcome.steps.push_back(std::move(step));
  };
  judge_now(cat("every layer at ", bit_widths_text(options.bits)), "the start");
  while (!outcome.within_limit) {
    check_cancelled();
    double total = 0;
    std::size_t worst = layers.size();
    for (std::size_t i = 0; i < layers.size(); ++i) {
      total += layers[i].now;
      const bool can_rise = raised(outcome.layer_bits[i].bits) != outcome.layer_bits[i].bits;
      const auto saved = [&](std::size_t k) { return layers[k].now - layers[k].next; };
      if (can_rise && (worst == layers.size() || saved(i) > saved(worst))) worst = i;
    }
    if (worst == layers.size()) break;
    LayerBits& bits = outcome.layer_bits[worst];
    const BitWidths before = bits.bits;
    const double share = total > 0 ? layers[worst].now / total : 0;
    bits.bits = raised(before);
    layers[worst].now = layers[worst].next;
    layers[worst].next = trials.one_layer(layers[worst].id, raised(bits.bits));
    judge_now(cat(bits.pattern, " from ", bit_widths_text(before), " to ", bit_widths_text(bits.bits)),
              cat("it had ", fixed(100 * share, 0), " % of the damage"));
  }
  return outcome;
}

}  // namespace adze::quantize
