#include "adze/recipe/recipe.h"

#include <algorithm>

#include "adze/base/hash.h"
#include "adze/base/text.h"
#include "adze/data/batches.h"
#include "adze/quantize/channel_statistics.h"
#include "adze/quantize/hardware.h"
#include "adze/quantize/synthesize.h"

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

/// What a step works on and with.
struct StepRun {
  const Recipe& recipe;
  const RecipeRun& run;
  std::size_t index;  ///< of the step
  RecipeOutcome& outcome;
  ProgressSink& progress;
};

void run_step(const SlimStep& step, const StepRun& at) {
  SlimOptions options;
  options.skip = step.skip;
  options.seed = at.recipe.seed;
  options.verify = runs_the_network(at.recipe);
  SlimOutcome slimmed = slim(std::move(at.outcome.graph), options, at.progress);
  at.outcome.graph = std::move(slimmed.graph);
  at.outcome.rewrites = std::move(slimmed.steps);
}

void run_step(const TrainStep& step, const StepRun& at) {
  train::TrainOptions options = trainer_options(step.settings, step.fresh, at.recipe.seed, at.run.threads);
  options.checkpoint = checkpoint_of_step(at.run, at.index);
  options.resume = at.run.resume;
  TrainStepOutcome trained = run_train_step(std::move(at.outcome.graph), step, options, at.progress);
  at.outcome.graph = std::move(trained.graph);
  const train::TrainResult& result = trained.result;
  at.outcome.epochs.insert(at.outcome.epochs.end(), result.epochs.begin(), result.epochs.end());
  at.outcome.skipped.insert(at.outcome.skipped.end(), result.skipped.begin(), result.skipped.end());
}

void run_step(const QuantizeStep& step, const StepRun& at) {
  const Recipe& recipe = at.recipe;
  RecipeOutcome& outcome = at.outcome;
  if (!step.states.empty()) outcome.graph.metadata["adze.state"] = join(step.states, ",");
  quantize::CalibrationData data;
  std::shared_ptr<Dataset> dataset;
  const bool wants_data = quantize::needs_data(step.options);
  if (wants_data && step.synthetic_samples > 0) {
    quantize::SyntheticOptions settings;
    settings.samples = step.synthetic_samples;
    settings.batch = batch_size_for(outcome.graph, settings.batch);
    settings.seed = recipe.seed;
    data = quantize::synthetic_samples(outcome.graph, settings, at.progress);
  } else if (wants_data) {
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
  std::optional<device::QuantizationRules> rules;
  std::vector<std::string> lines;
  if (!step.device.empty()) rules = device::load_profile(step.device).quantization;
  if (rules) lines = quantize::apply_rules(*rules, outcome.graph, options);
  quantize::QuantizeOutcome quantized = quantize::quantize(std::move(outcome.graph), data, options, at.progress);
  if (rules) quantize::check_rules(*rules, step.device, quantized.graph);
  quantized.report.methods.insert(quantized.report.methods.begin(), lines.begin(), lines.end());
  outcome.graph = std::move(quantized.graph);
  outcome.quantization = std::move(quantized.report);
  if (dataset) outcome.skipped = dataset->bad_samples();
}

}  // namespace

std::string recipe_hash(const Recipe& recipe) {
  const std::string text = print_recipe(recipe);
  return sha256_hex(std::as_bytes(std::span(text)));
}

std::filesystem::path checkpoint_of_step(const RecipeRun& run, std::size_t index) {
  if (run.checkpoint.empty()) return {};
  return cat(run.checkpoint.string(), ".step", index + 1);
}

void remove_checkpoints(const Recipe& recipe, const RecipeRun& run) {
  for (std::size_t i = 0; i < recipe.steps.size() && !run.checkpoint.empty(); ++i) {
    std::error_code ignored;  // a file that stays harms nothing
    if (std::holds_alternative<TrainStep>(recipe.steps[i]))
      std::filesystem::remove(checkpoint_of_step(run, i), ignored);
  }
}

RecipeOutcome run_recipe(Graph graph, const Recipe& recipe, ProgressSink& progress, const RecipeRun& run) {
  RecipeOutcome outcome{std::move(graph), {}, {}, {}, {}};
  quantize::note_batch_norms(outcome.graph);
  for (std::size_t i = 0; i < recipe.steps.size(); ++i) {
    check_cancelled();
    std::visit([&](const auto& one) { run_step(one, {recipe, run, i, outcome, progress}); }, recipe.steps[i]);
  }
  quantize::erase_noted_statistics(outcome.graph);
  outcome.graph.metadata["adze.recipe"] = recipe_hash(recipe);
  return outcome;
}

}  // namespace adze
