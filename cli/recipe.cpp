#include "adze/recipe/recipe.h"

#include <nlohmann/json.hpp>

#include "adze/base/files.h"
#include "adze/base/text.h"
#include "adze/base/threads.h"
#include "adze/recipe/figures.h"
#include "adze/recipe/model_files.h"
#include "cli/data_options.h"
#include "cli/verb.h"

namespace adze::cli {

namespace {

struct Arguments {
  std::string action, recipe, model, output;
  bool resume = false;
};

ExitCode run_recipe_verb(Console& console, const Arguments& arguments) {
  Recipe recipe = parse_recipe(read_text_file(arguments.recipe), arguments.recipe);
  console.results()["recipe_sha256"] = recipe_hash(recipe);
  if (arguments.action == "lint") {
    console.line(cat(arguments.recipe, ": ", recipe.steps.size(), " steps, no fault"));
    return ExitCode::Done;
  }
  if (arguments.model.empty() || arguments.output.empty()) {
    throw UsageError("recipe run needs a model and an output", "adze recipe run recipe.toml model.onnx -o out.onnx");
  }
  console.check_output(arguments.output);
  const Graph original = load_model(arguments.model);
  const Recipe resolved = [&] {
    Recipe copy = recipe;
    copy.calibration.name = copy.calibration.path;
    copy.calibration.path = resolve_data_path(copy.calibration.path);
    for (auto& step : copy.steps) {
      if (auto* training = std::get_if<TrainStep>(&step)) {
        training->data.name = training->data.path;
        training->data.path = resolve_data_path(training->data.path);
      }
    }
    return copy;
  }();
  const RecipeRun run{arguments.output + ".checkpoint", arguments.resume, num_threads()};
  RecipeOutcome outcome = run_recipe(original, resolved, console.progress(), run);
  outcome.graph.metadata["adze.recipe"] = recipe_hash(recipe);
  save_model(outcome.graph, arguments.output);
  remove_checkpoints(recipe, run);
  console.model("input", arguments.model);
  console.model("output", arguments.output);
  console.table(before_after_table(model_figures(original, "before", arguments.model),
                                   model_figures(outcome.graph, "after", arguments.output)));
  remark_skipped(console, outcome.skipped);
  return ExitCode::Done;
}

}  // namespace

Verb recipe_verb() {
  return {"recipe", "Repeat a recipe exactly, or check one",
          "  adze recipe run out/recipe.toml model.onnx -o again.onnx\n"
          "  adze recipe lint recipe.toml\n",
          [](Options& options) -> Action {
            auto arguments = std::make_shared<Arguments>();
            options.choice(arguments->action, "ACTION", "What to do", {"run", "lint"});
            options.positional(arguments->recipe, "RECIPE", "Recipe file (TOML)");
            options.positional(arguments->model, "MODEL", "Model to run it on", Options::Need::Optional);
            options.option(arguments->output, "-o,--output", "File to write");
            options.flag(arguments->resume, "--resume",
                         "Go on from the checkpoints of training steps (OUTPUT.checkpoint.stepN)");
            return [arguments](Console& console) { return run_recipe_verb(console, *arguments); };
          }};
}

}  // namespace adze::cli
