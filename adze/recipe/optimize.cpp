#include "adze/recipe/optimize.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

#include "adze/base/text.h"
#include "adze/evaluate/latency.h"
#include "adze/formats/onnx/write.h"
#include "adze/quantize/describe_weights.h"
#include "adze/quantize/sensitivity.h"
#include "adze/recipe/data_parts.h"
#include "adze/recipe/figures.h"
#include "adze/recipe/quantization_report.h"

namespace adze {

namespace {

using quantize::PtqCandidate;
using quantize::PtqOptions;

std::vector<std::int64_t> all_indices(const Dataset& dataset) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(dataset.size()));
  for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = static_cast<std::int64_t>(i);
  return indices;
}

EvaluateResult judge(const Graph& graph, const Dataset& data, ProgressSink& progress) {
  EvaluateOptions options;
  options.batch_size = batch_size_for(graph, 32);
  return evaluate(make_runner(graph), data, options, progress);
}

/// Fills the trial's paired figures: drop = accuracy of the original minus that of the candidate.
void pair_up(const EvaluateResult& original, const EvaluateResult& candidate, TrialFigures& trial) {
  std::map<std::int64_t, bool> was_right;
  for (std::size_t i = 0; i < original.indices.size(); ++i) {
    was_right[original.indices[i]] = original.predictions[i] == original.labels[i];
  }
  std::int64_t both = 0, only_original = 0, only_candidate = 0, neither = 0;
  for (std::size_t i = 0; i < candidate.indices.size(); ++i) {
    const auto found = was_right.find(candidate.indices[i]);
    if (found == was_right.end()) continue;
    const bool right = candidate.predictions[i] == candidate.labels[i];
    ++(found->second ? (right ? both : only_original) : (right ? only_candidate : neither));
  }
  const double n = static_cast<double>(std::max<std::int64_t>(1, both + only_original + only_candidate + neither));
  const Interval interval = paired_difference_interval(both, only_original, only_candidate, neither);
  trial.drop = static_cast<double>(only_original - only_candidate) / n;
  trial.drop_low = interval.low;
  trial.drop_high = interval.high;
  trial.p_value = mcnemar(only_original, only_candidate).mid_p;
}

/// Upper end of the one-sided 95 % interval, from the two-sided one (z 1.645 instead of 1.960).
double drop_bound(const TrialFigures& trial) {
  return trial.drop + (trial.drop_high - trial.drop) * (1.6448536 / 1.9599640);
}

class Search {
 public:
  Search(const Graph& graph, const OptimizeOptions& options, ProgressSink& progress)
      : options_(options),
        progress_(progress),
        original_(graph),
        parts_(divide_data(graph, options.data,
                           {options.calibration_samples, options.validation_samples, options.test_samples},
                           options.seed)) {}

  OptimizeOutcome run() {
    prepare();
    for (const PtqCandidate& candidate : quantize::standard_candidates()) try_candidate(candidate);
    revert_layers();
    return conclude();
  }

 private:
  struct Tried {
    TrialFigures figures;
    Graph graph;
    PtqOptions options;
    bool quantized = false;
    quantize::QuantizeReport report;
  };

  void prepare() {
    SlimOptions slim_options;
    slim_options.seed = options_.seed;
    SlimOutcome slimmed = slim(original_, slim_options, progress_);
    slim_ = quantize::prepared(std::move(slimmed.graph));
    rewrites_ = std::move(slimmed.steps);
    baseline_ = judge(original_, *parts_.validation, progress_);
    original_trial_.name = "original";
    original_trial_.verdict = "as given";
    original_trial_.within_limits = true;
    ModelFigures& figures = original_trial_.figures;
    figures = model_figures(original_, "original");
    figures.file_bytes = static_cast<std::int64_t>(onnx::write_bytes(original_).size());
    figures.accuracy = accuracy_figure(baseline_);
    figures.latency = latency(original_, options_.latency_seconds / 4);
    calibration_ = calibration_data(slim_, parts_.calibration, all_indices(*parts_.calibration));
    PtqOptions static_options;
    observations_ = quantize::observe(slim_, quantize::values_to_observe(slim_, static_options), calibration_,
                                      options_.calibration_samples, progress_);
    add_trial("slim only", slim_, {}, false, {});
  }

  void add_trial(const std::string& name, Graph graph, const PtqOptions& options, bool quantized,
                 quantize::QuantizeReport report) {
    const auto start = std::chrono::steady_clock::now();
    const EvaluateResult result = judge(graph, *parts_.validation, progress_);
    Tried tried{{}, std::move(graph), options, quantized, std::move(report)};
    TrialFigures& figures = tried.figures;
    figures.name = name;
    figures.figures = model_figures(tried.graph, name);
    figures.figures.file_bytes = static_cast<std::int64_t>(onnx::write_bytes(tried.graph).size());
    figures.figures.accuracy = accuracy_figure(result);
    figures.figures.latency = latency(tried.graph, options_.latency_seconds / 4);
    pair_up(baseline_, result, figures);
    const double bound = drop_bound(figures);
    figures.within_limits = bound <= options_.max_drop;
    figures.verdict = figures.within_limits ? "within the limit"
                                            : cat("refused: may lose ", fixed(100 * bound, 2), " points, allowed ",
                                                  fixed(100 * options_.max_drop, 2));
    figures.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    progress_.note(cat(name, ": ", bytes_text(figures.figures.file_bytes), ", ", fixed(100 * result.top1, 2), " % on ",
                       result.samples, " validation samples, ", figures.verdict));
    tried_.push_back(std::move(tried));
  }

  void try_candidate(const PtqCandidate& candidate) {
    check_cancelled();
    PtqOptions options = candidate.options;
    options.seed = options_.seed;
    quantize::QuantizeOutcome outcome = options.mode == quantize::Mode::Static
                                            ? quantize::quantize_observed(slim_, observations_, options)
                                            : quantize::quantize(slim_, calibration_, options, progress_);
    add_trial(candidate.name, std::move(outcome.graph), options, true, std::move(outcome.report));
  }

  bool static_candidate_fits() const {
    return std::any_of(tried_.begin(), tried_.end(), [](const Tried& tried) {
      return tried.quantized && tried.options.mode == quantize::Mode::Static && tried.figures.within_limits;
    });
  }

  /// Source  the accuracy control of NNCF: rank layers by their own error, revert the worst, judge again
  void revert_layers() {
    if (static_candidate_fits() || options_.max_reverts <= 0) return;
    const auto best = std::max_element(tried_.begin(), tried_.end(), [](const Tried& a, const Tried& b) {
      const auto rank = [](const Tried& one) {
        return one.quantized && one.options.mode == quantize::Mode::Static ? one.figures.figures.accuracy->value : -1;
      };
      return rank(a) < rank(b);
    });
    if (best == tried_.end() || !best->quantized) return;
    PtqOptions options = best->options;
    const std::string base_name = best->figures.name;
    constexpr std::int64_t sensitivity_batches = 4;
    const auto ranked = quantize::sensitivities(slim_, calibration_, options, sensitivity_batches, progress_);
    for (std::size_t i = 0; i < ranked.size() && static_cast<std::int64_t>(i) < options_.max_reverts; ++i) {
      options.skip.push_back(ranked[i].node);
      try_candidate({cat(base_name, ", ", i + 1, i == 0 ? " layer" : " layers", " in float"), options});
      if (tried_.back().figures.within_limits) return;
    }
  }

  /// What the goal makes small, relative to the original.
  double cost(const ModelFigures& figures) const {
    const ModelFigures& original = original_trial_.figures;
    const auto ratio = [](double after, double before) { return before > 0 ? after / before : 1.0; };
    const double size = ratio(static_cast<double>(figures.file_bytes), static_cast<double>(original.file_bytes));
    const double memory = ratio(static_cast<double>(figures.arena_bytes), static_cast<double>(original.arena_bytes));
    const double time = ratio(figures.latency->p50_us, original.latency->p50_us);
    switch (options_.goal) {
      case Goal::Size:
        return size;
      case Goal::Memory:
        return memory;
      case Goal::Latency:
        return time;
      case Goal::Balanced:
        break;
    }
    return std::sqrt(size * memory);
  }

  std::size_t choose() const {
    constexpr double as_good = 1.02;
    double least = INFINITY;
    const bool any_fits =
        std::any_of(tried_.begin(), tried_.end(), [](const Tried& one) { return one.figures.within_limits; });
    const auto eligible = [&](const Tried& one) { return one.figures.within_limits || !any_fits; };
    for (const Tried& one : tried_) {
      if (eligible(one)) least = std::min(least, cost(one.figures.figures));
    }
    std::size_t best = tried_.size();
    for (std::size_t i = 0; i < tried_.size(); ++i) {
      const bool candidate =
          any_fits ? eligible(tried_[i]) && cost(tried_[i].figures.figures) <= as_good * least : true;
      if (!candidate) continue;
      if (best == tried_.size() ||
          tried_[i].figures.figures.accuracy->value > tried_[best].figures.figures.accuracy->value)
        best = i;
    }
    return best;
  }

  static LatencyFigure latency(const Graph& graph, double seconds) {
    LatencyOptions options;
    options.seconds = seconds;
    options.threads = 1;
    return latency_figure(measure_latency(graph, options));
  }

  OptimizeOutcome conclude() {
    const std::size_t best = choose();
    Tried& winner = tried_[best];
    OptimizeOutcome outcome;
    outcome.within_limit = winner.figures.within_limits;
    if (outcome.within_limit) {
      winner.figures.chosen = true;
      winner.figures.verdict = "chosen";
    }
    fill_recipe(outcome.recipe, winner);
    outcome.graph = winner.graph;
    outcome.graph.metadata["adze.recipe"] = recipe_hash(outcome.recipe);

    Report& report = outcome.report;
    report.before = model_figures(original_, "before");
    report.after = model_figures(outcome.graph, winner.figures.name);
    const EvaluateResult before = judge(original_, *parts_.test, progress_);
    const EvaluateResult after = judge(outcome.graph, *parts_.test, progress_);
    report.before.accuracy = accuracy_figure(before);
    report.after->accuracy = accuracy_figure(after);
    report.before.latency = latency(original_, options_.latency_seconds);
    report.after->latency = latency(outcome.graph, options_.latency_seconds);
    TrialFigures final_figures;
    pair_up(before, after, final_figures);
    outcome.test_within_limit = final_figures.drop <= options_.max_drop;
    report.notes.push_back(cat("On the test samples the chosen network loses ", fixed(100 * final_figures.drop, 2),
                               " points of top-1 (95 % interval ", fixed(100 * final_figures.drop_low, 2), " … ",
                               fixed(100 * final_figures.drop_high, 2),
                               ", McNemar p = ", fixed(final_figures.p_value, 3), ")."));
    fill_report(report, winner);
    report.recipe = print_recipe(outcome.recipe);
    return outcome;
  }

  void fill_recipe(Recipe& recipe, const Tried& winner) const {
    recipe.seed = options_.seed;
    recipe.steps.emplace_back(SlimStep{});
    if (!winner.quantized) return;
    recipe.steps.emplace_back(QuantizeStep{winner.options, {}, 0, {}});
    if (winner.options.mode != quantize::Mode::Static) return;
    recipe.calibration = parts_.calibration_request;
    recipe.calibration_samples = options_.calibration_samples;
  }

  void fill_report(Report& report, Tried& winner) {
    report.command = options_.command;
    report.data = cat(parts_.description, ", ", parts_.test->size(), " samples");
    report.seed = options_.seed;
    for (const auto& step : rewrites_) report.steps.push_back({step.name, step.changes, step.seconds});
    report.trials.push_back(original_trial_);
    for (const Tried& tried : tried_) report.trials.push_back(tried.figures);
    const bool is_static = winner.quantized && winner.options.mode == quantize::Mode::Static;
    if (is_static) quantize::describe_weights(slim_, winner.graph, winner.options, winner.report);
    add_quantization(report, slim_, winner.graph, winner.report, parts_.validation.get(), progress_);
    if (is_static) add_codes(report, winner.graph, calibration_, most_code_samples, progress_);
  }

  const OptimizeOptions& options_;
  ProgressSink& progress_;
  const Graph& original_;
  DataParts parts_;
  Graph slim_;
  TrialFigures original_trial_;
  std::vector<rewrite::StepResult> rewrites_;
  EvaluateResult baseline_;
  quantize::CalibrationData calibration_;
  quantize::Observations observations_;
  std::vector<Tried> tried_;
};

}  // namespace

OptimizeOutcome optimize(const Graph& graph, const OptimizeOptions& options, ProgressSink& progress) {
  return Search(graph, options, progress).run();
}

}  // namespace adze
