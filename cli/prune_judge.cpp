#include "cli/prune_judge.h"

#include <nlohmann/json.hpp>

#include "adze/base/text.h"
#include "adze/recipe/figures.h"
#include "adze/recipe/model_files.h"
#include "cli/prune_slices.h"

namespace adze::cli {

bool PruneJudge::reports_accuracy() {
  if (arguments_.report.empty() || !data_.validation || searching_) return false;
  if (!labelled_) labelled_ = data_.validation->size() > 0 && data_.validation->label(0) >= 0;
  return *labelled_;
}

EvaluateResult PruneJudge::judged(const Graph& graph) const {
  EvaluateOptions options;
  options.batch_size = batch_size_for(graph, 32);
  options.samples = arguments_.judge_samples;
  options.seed = static_cast<std::uint64_t>(console_.options.seed);
  EvaluateResult result = evaluate(make_runner(graph), *data_.validation, options, console_.progress());
  if (result.task != Task::Classification) throw UsageError("a limit on accuracy needs data with class labels");
  return result;
}

const EvaluateResult& PruneJudge::dense() {
  if (!dense_) dense_ = judged(graph_);
  return *dense_;
}

SliceComparison PruneJudge::compared_slices(const EvaluateResult& pruned) {
  std::vector<SampleGroup> groups;
  if (!arguments_.slices.empty()) groups = read_sample_groups(arguments_.slices);
  return compare_slices(dense(), pruned, *data_.validation, groups);
}

std::optional<std::string> PruneJudge::beyond_limit(const SliceComparison& slices) const {
  if (arguments_.max_slice_drop.empty()) return std::nullopt;
  const SliceResult worst = slices.worst();
  if (worst.drop() <= parse_fraction(arguments_.max_slice_drop, "--max-slice-drop")) return std::nullopt;
  return cat(worst.name, " lost ", fixed(100 * worst.drop(), 2), " points, more than ", arguments_.max_slice_drop);
}

std::optional<std::string> PruneJudge::slice_lost(const Graph& pruned) {
  const bool asked = !arguments_.slices.empty() || !arguments_.max_slice_drop.empty();
  if (!asked && !reports_accuracy()) return std::nullopt;
  if (!data_.validation) throw UsageError("slices are judged on validation data", "--data, --validation 0.1");
  pruned_ = judged(pruned);
  slices_ = compared_slices(*pruned_);
  if (asked) show_slices(console_, *slices_, *data_.validation);
  return beyond_limit(*slices_);
}

prune::PruneOutcome PruneJudge::prune_within_drop(prune::PruneOptions options, const prune::PruneInputs& inputs) {
  if (!data_.validation) throw UsageError("--max-drop is judged on validation data", "--data, --validation 0.1");
  const double allowed = parse_fraction(arguments_.max_drop, "--max-drop");
  const double top1 = dense().top1;
  options.target_macs.reset();
  options.target_params.reset();
  options.target_latency.reset();
  options.ratio = 0;
  prune::PruneInputs untuned = inputs;
  untuned.tune = {};
  prune::PruneOutcome best = prune::prune(graph_, options, untuned, console_.progress());
  double low = 0, high = options.limits.max_ratio;
  for (int step = 0; step < 5; ++step) {
    options.ratio = (low + high) / 2;
    searching_ = options.ratio;
    prune::PruneOutcome candidate = prune::prune(graph_, options, inputs, console_.progress());
    const EvaluateResult result = judged(candidate.graph);
    const double drop = top1 - result.top1;
    tried_.emplace_back(options.ratio, result.top1);
    console_.line(cat("ratio ", fixed(options.ratio, 3), ": ", fixed(100 * drop, 2), " points lost of ",
                      fixed(100 * top1, 2), " %"));
    console_.results()["tried"].push_back({{"ratio", options.ratio}, {"drop", drop}});
    std::optional<std::string> why;
    if (drop > allowed) {
      why = cat(fixed(100 * drop, 2), " points are lost");
    } else if (!arguments_.max_slice_drop.empty()) {
      why = beyond_limit(compared_slices(result));
    }
    if (!why) {
      low = options.ratio;
      best = std::move(candidate);
    } else {
      high = options.ratio;
      refused_ = {std::move(candidate), cat("at ratio ", fixed(options.ratio, 3), " ", *why)};
    }
  }
  searching_.reset();
  tried_.emplace_back(0, top1);
  console_.results()["ratio"] = low;
  return best;
}

std::string PruneJudge::why_nothing() const {
  std::string text = cat("no ratio that was tried takes anything away at a cost of at most ", arguments_.max_drop);
  if (!arguments_.max_slice_drop.empty()) text += cat(", and of any class or group ", arguments_.max_slice_drop);
  if (refused_) text += cat(" (", refused_->why, ")");
  const std::string_view longer = arguments_.training.epochs > 0 ? "longer " : "";
  return cat(text, "; train ", longer, "after pruning (--tune-epochs), or allow more");
}

void PruneJudge::add_accuracies(ModelFigures& before, ModelFigures& after) const {
  if (!dense_ || !pruned_) return;
  before.accuracy = accuracy_figure(*dense_);
  after.accuracy = accuracy_figure(*pruned_);
}

}  // namespace adze::cli
