#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "adze/quantize/ptq.h"
#include "adze/recipe/runner.h"
#include "adze/recipe/slim.h"
#include "adze/recipe/train_step.h"

namespace adze {

struct SlimStep {
  std::vector<std::string> skip;
  bool operator==(const SlimStep&) const = default;
};

struct QuantizeStep {
  quantize::PtqOptions options;
  std::string device;                  ///< whose rules apply (quantize/hardware.h); empty: none
  std::int64_t synthetic_samples = 0;  ///< calibrate on so many made up from batch norms (quantize/synthesize.h)
  std::vector<std::string> states;     ///< INPUT=OUTPUT pairs that are kept between calls; empty: found in the network
};

/// Steps with settings: what was done, so that it can be done again. Text form is TOML, schema "adze.recipe/1".
struct Recipe {
  std::uint64_t seed = 0;
  DataRequest calibration;  ///< data of the steps that calibrate
  std::int64_t calibration_samples = 256;
  std::vector<std::variant<SlimStep, TrainStep, QuantizeStep>> steps;
};

/// Throws UsageError with file, line and column for bad TOML, and naming unknown keys with the nearest known one.
Recipe parse_recipe(std::string_view text, const std::string& file);
std::string print_recipe(const Recipe& recipe);
/// SHA-256 of the printed recipe.
std::string recipe_hash(const Recipe& recipe);

struct RecipeOutcome {
  Graph graph;
  std::vector<rewrite::StepResult> rewrites;
  quantize::QuantizeReport quantization;
  std::vector<train::EpochResult> epochs;  ///< of the training steps, one after the other
  std::vector<BadSample> skipped;          ///< samples that could not be decoded
};

/// Where training steps keep what they need to go on after an interruption.
struct RecipeRun {
  std::filesystem::path checkpoint;  ///< beginning of the names of checkpoint files, one a step; empty: none are kept
  bool resume = false;
  int threads = 1;
};

/// Of the step at this place, counted from 0; empty without checkpoints.
std::filesystem::path checkpoint_of_step(const RecipeRun& run, std::size_t index);
/// Deletes what the recipe's training steps kept: for when the result is written and nothing needs to go on.
void remove_checkpoints(const Recipe& recipe, const RecipeRun& run);

/// Runs the steps in order. The result's metadata carries the recipe's hash as "adze.recipe".
RecipeOutcome run_recipe(Graph graph, const Recipe& recipe, ProgressSink& progress = silent_progress(),
                         const RecipeRun& run = {});

}  // namespace adze
