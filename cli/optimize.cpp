#include "adze/recipe/optimize.h"

#include <filesystem>

#include "adze/base/text.h"
#include "adze/recipe/model_files.h"
#include "cli/data_options.h"
#include "cli/optimize_result.h"
#include "cli/verb.h"

namespace adze::cli {

namespace {

struct Arguments {
  std::string model, folder, max_drop = "1%", goal = "balanced";
  DataOptions data;
  std::int64_t calibration_samples = 256, validation_samples = 2000, max_reverts = 4;
};

Goal goal_from(const std::string& word) {
  if (word == "size") return Goal::Size;
  if (word == "memory") return Goal::Memory;
  return word == "latency" ? Goal::Latency : Goal::Balanced;
}

ExitCode run_optimize(Console& console, const Arguments& arguments) {
  OptimizeOptions options;
  options.goal = goal_from(arguments.goal);
  options.max_drop = parse_fraction(arguments.max_drop, "--max-drop");
  prepare_folder(console, arguments.folder);
  const Graph graph = load_model(arguments.model);
  options.data = arguments.data.request();
  options.calibration_samples = arguments.calibration_samples;
  options.validation_samples = arguments.validation_samples;
  options.test_samples = arguments.data.samples;
  options.max_reverts = arguments.max_reverts;
  options.seed = static_cast<std::uint64_t>(console.options.seed);
  options.command = console.command_line();
  console.model("model", arguments.model);
  OptimizeOutcome outcome = optimize(graph, options, console.progress());
  outcome.report.title = cat(std::filesystem::path(arguments.model).filename().string(), ": smaller, measured");
  return present(console, outcome, arguments.model, arguments.folder);
}

}  // namespace

Verb optimize_verb() {
  return {
      "optimize", "Try recipes, choose the best that keeps to the limits; write model, report and recipe",
      "  adze optimize model.onnx --data cifar10 --max-drop 1% -o out/\n"
      "  adze optimize model.tflite --data pictures.tar.zst --max-drop 0.5% -o out/ --seed 7\n",
      [](Options& options) -> Action {
        auto arguments = std::make_shared<Arguments>();
        options.positional(arguments->model, "MODEL", "Float model: ONNX, TFLite or .adze text");
        arguments->data.declare(options, "-d,--data", "Data with train and test parts, or one set to be divided",
                                Options::Need::Required);
        options.option(arguments->folder, "-o,--output", "Folder for the results", Options::Need::Required);
        options.option(arguments->max_drop, "--max-drop", "Largest loss of top-1: 1% or 0.01 is one point");
        options.choice(arguments->goal, "--goal", "What is made small within the limit",
                       {"balanced", "size", "memory", "latency"});
        options.option(arguments->calibration_samples, "--calibration-samples", "Samples that ranges are learned from");
        options.option(arguments->validation_samples, "--validation-samples", "Samples that the choice is made on");
        options.option(arguments->data.samples, "--samples", "Test samples for the final figures; 0 = all");
        options.option(arguments->max_reverts, "--max-reverts", "Layers that may go back to float to keep the limit");
        return [arguments](Console& console) { return run_optimize(console, *arguments); };
      }};
}

}  // namespace adze::cli
