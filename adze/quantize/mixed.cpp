#include "adze/quantize/mixed.h"

#include <algorithm>
#include <cmath>

#include "adze/base/files.h"
#include "adze/base/text.h"
#include "adze/quantize/allocate.h"
#include "adze/quantize/width_latency.h"

namespace adze::quantize {

namespace {

std::int64_t cost_of(const LayerCurve& curve, int bits, BudgetKind kind, int activation_bits) {
  return kind == BudgetKind::BitOperations ? curve.macs * bits * activation_bits : curve.weights * bits;
}

/// The budget in the unit of cost_of.
std::int64_t limit_of(const MixedBudget& budget, const std::vector<LayerCurve>& curves) {
  std::int64_t weights = 0;
  for (const LayerCurve& curve : curves) weights += curve.weights;
  switch (budget.kind) {
    case BudgetKind::Bits:
      return static_cast<std::int64_t>(budget.limit * static_cast<double>(weights));
    case BudgetKind::Bytes:
      return static_cast<std::int64_t>(budget.limit * 8);
    case BudgetKind::BitOperations:
      return static_cast<std::int64_t>(budget.limit);
    case BudgetKind::Latency:
      break;
  }
  throw InternalError("a budget that is not counted");
}

double shown_cost(const MixedBudget& budget, double cost, const std::vector<LayerCurve>& curves) {
  double weights = 0;
  for (const LayerCurve& curve : curves) weights += static_cast<double>(curve.weights);
  if (budget.kind == BudgetKind::Bits) return cost / std::max(1.0, weights);
  return budget.kind == BudgetKind::Bytes ? cost / 8 : cost;
}

class Refiner {
 public:
  Refiner(const Trials& trials, const std::vector<LayerCurve>& curves, const std::vector<std::vector<Choice>>& choices,
          int activation_bits, std::int64_t limit)
      : trials_(trials), curves_(curves), choices_(choices), activation_bits_(activation_bits), limit_(limit) {}

  std::vector<LayerBits> bits_of(const std::vector<std::size_t>& chosen) const {
    std::vector<LayerBits> bits;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      bits.push_back({curves_[i].node, {curves_[i].points[chosen[i]].bits, activation_bits_}});
    }
    return bits;
  }

  /// Tries the exchanges that cost the least predicted damage, on the whole network.
  void refine(std::vector<std::size_t>& chosen, int tries, MixedOutcome& outcome, ProgressPhase& phase) const {
    outcome.start = outcome.measured = trials_.all(bits_of(chosen));
    std::vector<std::vector<std::size_t>> tried{chosen};
    for (int n = 0; n < tries; ++n) {
      std::vector<std::size_t> best;
      double least = 0;
      std::string what;
      for_each_exchange(chosen, [&](std::size_t up, std::size_t down) {
        std::vector<std::size_t> next = chosen;
        if (up < next.size()) ++next[up];
        if (down < next.size()) --next[down];
        if (std::find(tried.begin(), tried.end(), next) != tried.end() || cost(next) > limit_) return;
        const double predicted = damage(next);
        if (!best.empty() && predicted >= least) return;
        best = next;
        least = predicted;
        what = cat(up < next.size() ? curves_[up].node : "nothing", " up, ",
                   down < next.size() ? curves_[down].node : "nothing", " down");
      });
      if (best.empty()) return;
      tried.push_back(best);
      const double measured = trials_.all(bits_of(best));
      phase.advance(1, cat("noise ", std::min(measured, outcome.measured)));
      if (measured >= outcome.measured) continue;
      outcome.changes.push_back(cat(what, ": noise ", outcome.measured, " -> ", measured));
      outcome.measured = measured;
      chosen = best;
    }
  }

  std::int64_t cost(const std::vector<std::size_t>& chosen) const {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < chosen.size(); ++i) sum += choices_[i][chosen[i]].cost;
    return sum;
  }
  double damage(const std::vector<std::size_t>& chosen) const {
    double sum = 0;
    for (std::size_t i = 0; i < chosen.size(); ++i) sum += choices_[i][chosen[i]].damage;
    return sum;
  }

 private:
  template <typename Visit>
  void for_each_exchange(const std::vector<std::size_t>& chosen, Visit visit) const {
    const std::size_t none = chosen.size();
    for (std::size_t up = 0; up <= none; ++up) {
      if (up < none && chosen[up] + 1 >= choices_[up].size()) continue;
      for (std::size_t down = 0; down <= none; ++down) {
        if (down == up || (down < none && chosen[down] == 0) || (up == none && down == none)) continue;
        visit(up, down);
      }
    }
  }

  const Trials& trials_;
  const std::vector<LayerCurve>& curves_;
  const std::vector<std::vector<Choice>>& choices_;
  int activation_bits_;
  std::int64_t limit_;
};

/// The choices of each layer and what they may cost together.
struct Problem {
  std::vector<std::vector<Choice>> choices;
  std::int64_t limit = 0;
};

Problem counted_problem(const MixedBudget& budget, const std::vector<LayerCurve>& curves, int activation_bits) {
  Problem problem;
  problem.limit = limit_of(budget, curves);
  for (const LayerCurve& curve : curves) {
    std::vector<Choice>& layer = problem.choices.emplace_back();
    for (const WidthPoint& point : curve.points) {
      layer.push_back({cost_of(curve, point.bits, budget.kind, activation_bits), point.damage});
    }
  }
  return problem;
}

constexpr double ns_of_us = 1000;

/// Costs in nanoseconds above each layer's fastest width, the limit above the fastest network.
Problem timed_problem(const MixedOutcome& outcome) {
  Problem problem;
  double fastest = outcome.int8_us;
  for (std::size_t i = 0; i < outcome.curves.size(); ++i) {
    double least = 0;
    for (const WidthTime& time : outcome.times[i]) least = std::min(least, time.change_us);
    fastest += least;
    std::vector<Choice>& layer = problem.choices.emplace_back();
    for (std::size_t k = 0; k < outcome.times[i].size(); ++k) {
      const double more = ns_of_us * (outcome.times[i][k].change_us - least);
      layer.push_back({std::llround(more), outcome.curves[i].points[k].damage});
    }
  }
  if (fastest > outcome.limit) {
    throw UsageError(cat("the budget of ", fixed(outcome.limit, 1), " us is too small: 8 bits throughout take ",
                         fixed(outcome.int8_us, 1), " us, the fastest width of every layer about ", fixed(fastest, 1)),
                     "raise it, or make the network smaller (adze prune)");
  }
  problem.limit = std::llround(ns_of_us * (outcome.limit - fastest));
  return problem;
}

/// Times of all layers, kept in the curve file.
void measure_times(const LatencyTrials& latency, const Trials& trials, const MixedOptions& mixed, MixedOutcome& outcome,
                   ProgressSink& progress) {
  std::vector<WidthTime> known;
  std::string key = mixed.curve_key;
  const bool kept = !mixed.curve_file.empty();
  std::vector<LayerCurve> stored;
  if (kept) stored = parse_curves(read_text_file(mixed.curve_file), key, &known);
  const auto save = [&] {
    if (kept) write_file(mixed.curve_file, print_curves(stored, key, known));
  };
  outcome.times = width_times(latency, trials, outcome.curves, known, save, progress);
}

void allocate_and_refine(const Trials& trials, const Problem& problem, const MixedOptions& mixed, int activation_bits,
                         MixedOutcome& outcome, ProgressSink& progress) {
  Allocation allocation = allocate_exactly(problem.choices, problem.limit);
  if (allocation.chosen.empty()) {
    throw UsageError("the budget is too small for even the fewest bits in every layer", "raise it");
  }
  outcome.bound = allocate_by_multiplier(problem.choices, problem.limit).bound;
  const Refiner refiner(trials, outcome.curves, problem.choices, activation_bits, problem.limit);
  {
    ProgressPhase phase(progress, "refine", mixed.refinements, "exchanges");
    refiner.refine(allocation.chosen, mixed.refinements, outcome, phase);
  }
  outcome.layer_bits = refiner.bits_of(allocation.chosen);
  outcome.cost = static_cast<double>(refiner.cost(allocation.chosen));
  outcome.predicted = refiner.damage(allocation.chosen);
}

/// Chooses by times, judges the choice by its own time, and again with less to spend where that is too long.
void choose_by_latency(const LatencyTrials& latency, const Trials& trials, const MixedOptions& mixed,
                       int activation_bits, MixedOutcome& outcome, ProgressSink& progress) {
  constexpr int attempts = 3;
  Problem problem = timed_problem(outcome);
  const double fastest = outcome.limit - static_cast<double>(problem.limit) / ns_of_us;
  for (int attempt = 1;; ++attempt) {
    outcome.changes.clear();
    allocate_and_refine(trials, problem, mixed, activation_bits, outcome, progress);
    outcome.cost = fastest + outcome.cost / ns_of_us;
    const MeasuredTime change = latency.change(outcome.layer_bits);
    outcome.measured_us = outcome.int8_us + change.us;
    outcome.measured_error_us = change.error_us;
    const double excess = outcome.measured_us - outcome.limit;
    if (excess <= 0 || attempt == attempts || problem.limit == 0) return;
    problem.limit = std::max<std::int64_t>(0, problem.limit - std::llround(ns_of_us * excess));
  }
}

}  // namespace

MixedOutcome choose_widths(const Trials& trials, const PtqOptions& options, const MixedBudget& budget,
                           const MixedOptions& mixed, ProgressSink& progress) {
  MixedOutcome outcome;
  const int activation_bits = options.bits.activations;
  const bool by_latency = budget.kind == BudgetKind::Latency;
  const WidthsOf widths = [&](const Node& layer) { return by_latency ? stored_widths(layer) : mixed.widths; };
  outcome.curves = sensitivity_curves(trials, widths, activation_bits, mixed.curve_file, mixed.curve_key, progress);
  if (by_latency) {
    const LatencyTrials latency(trials, options, mixed.latency);
    outcome.int8_us = latency.base().us;
    outcome.int8_error_us = latency.base().error_us;
    outcome.limit = budget.latency.empty() ? budget.limit : parse_latency(budget.latency, outcome.int8_us);
    measure_times(latency, trials, mixed, outcome, progress);
    choose_by_latency(latency, trials, mixed, activation_bits, outcome, progress);
    return outcome;
  }
  outcome.limit = budget.limit;
  const Problem problem = counted_problem(budget, outcome.curves, activation_bits);
  allocate_and_refine(trials, problem, mixed, activation_bits, outcome, progress);
  outcome.cost = shown_cost(budget, outcome.cost, outcome.curves);
  return outcome;
}

std::int64_t parse_bytes(std::string_view text) {
  const std::string whole(text);
  char* end = nullptr;
  const double number = std::strtod(whole.c_str(), &end);
  const std::string unit(trim(end));
  double factor = 0;
  if (unit.empty() || unit == "B") factor = 1;
  if (unit == "kB") factor = 1000;
  if (unit == "KiB") factor = 1024;
  if (unit == "MB") factor = 1e6;
  if (unit == "MiB") factor = 1024 * 1024;
  if (end == whole.c_str() || factor == 0 || !(number > 0) || number * factor > 1e15) {
    throw UsageError(cat("sizes are written 256KiB, 100kB, 2MiB or 70000, got ", quoted(text)));
  }
  return static_cast<std::int64_t>(number * factor);
}

}  // namespace adze::quantize
