#include "adze/recipe/recipe.h"

#include <algorithm>

#include "adze/base/hash.h"
#include "adze/base/text.h"
#include "adze/data/batches.h"
#include "adze/quantize/channel_statistics.h"

namespace adze {

namespace {

/// Quantizing weights alone never runs the network, and stays within a few times the file's memory: the check of the
/// rewrites would compile it twice.
bool runs_the_network(const Recipe& recipe) {
  return std::none_of(recipe.steps.begin(), recipe.steps.end(), [](const auto& step) {
    const auto* quantize_step = std::get_if<QuantizeStep>(&step);
    return quantize_step != nullptr && quantize_step->options.mode != quantize::Mode::Static;
  });
}

void run_step(const SlimStep& step, const Recipe& recipe, RecipeOutcome& outcome, ProgressSink& progress) {
  SlimOptions options;
  options.skip = step.skip;
  options.seed = recipe.seed;
  options.verify = runs_the_network(recipe);
  SlimOutcome slimmed = slim(std::move(outcome.graph), options, progress);
  outcome.graph = std::move(slimmed.graph);
  outcome.rewrites = std::move(slimmed.steps);
}

void run_step(const QuantizeStep& step, const Recipe& recipe, RecipeOutcome& outcome, ProgressSink& progress) {
  quantize::CalibrationData data;
  std::shared_ptr<Dataset> dataset;
  const bool wants_data = step.options.mode == quantize::Mode::Static || step.options.methods.need_data();
  if (wants_data) {
    if (recipe.calibration.path.empty()) {
      throw UsageError("this quantization needs calibration data",
                       "--calibration FOLDER, or --mode weight-only without methods that look at data");
    }
    dataset = open_data(outcome.graph, recipe.calibration);
    data = calibration_data(outcome.graph, dataset,
                            sample_indices(*dataset, recipe.calibration_samples, recipe.seed, Sampling::Stratified));
  }
  quantize::PtqOptions options = step.options;
  options.seed = recipe.seed;
  quantize::QuantizeOutcome quantized = quantize::quantize(std::move(outcome.graph), data, options, progress);
  outcome.graph = std::move(quantized.graph);
  outcome.quantization = std::move(quantized.report);
  if (dataset) outcome.skipped = dataset->bad_samples();
}

}  // namespace

std::string recipe_hash(const Recipe& recipe) {
  const std::string text = print_recipe(recipe);
  return sha256_hex(std::as_bytes(std::span(text)));
}

RecipeOutcome run_recipe(Graph graph, const Recipe& recipe, ProgressSink& progress) {
  RecipeOutcome outcome{std::move(graph), {}, {}, {}};
  quantize::note_batch_norms(outcome.graph);
  for (const auto& step : recipe.steps) {
    check_cancelled();
    std::visit([&](const auto& one) { run_step(one, recipe, outcome, progress); }, step);
  }
  quantize::erase_noted_statistics(outcome.graph);
  outcome.graph.metadata["adze.recipe"] = recipe_hash(recipe);
  return outcome;
}

}  // namespace adze
