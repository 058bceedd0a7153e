#include <filesystem>

#include "adze/base/files.h"
#include "adze/base/text.h"
#include "adze/recipe/demo_network.h"
#include "adze/recipe/model_files.h"
#include "adze/recipe/optimize.h"
#include "cli/optimize_result.h"
#include "cli/verb.h"

namespace adze::cli {

namespace {

struct Arguments {
  std::string folder = "adze-demo";
};

ExitCode run_demo(Console& console, const Arguments& arguments) {
  Console& out = console;
  out.options.force = true;  // the demo's own folder is its to overwrite
  prepare_folder(out, arguments.folder);
  const std::filesystem::path model = std::filesystem::path(arguments.folder) / "demo.onnx";
  write_file(model, demo_network());
  out.remark(
      "A small network that names drawn symbols, trained on pictures that adze draws itself. Steps: rewrite it,");
  out.remark(
      "try int8 recipes, judge each on the same 2,000 pictures, choose, then judge the choice on pictures never seen.");
  OptimizeOptions options;
  options.data.path = "demo";
  options.seed = static_cast<std::uint64_t>(out.options.seed);
  options.command = out.command_line();
  const Graph graph = load_model(model);
  out.model("model", model.string());
  OptimizeOutcome outcome = optimize(graph, options, out.progress());
  outcome.report.title = "The demo network: smaller, measured";
  return present(out, outcome, model, arguments.folder);
}

}  // namespace

Verb demo_verb() {
  return {"demo", "Shrink a small trained network that adze carries, and show what that cost",
          "  adze demo\n"
          "  adze demo -o /tmp/demo && xdg-open /tmp/demo/report.html\n",
          [](Options& options) -> Action {
            auto arguments = std::make_shared<Arguments>();
            options.option(arguments->folder, "-o,--output", "Folder for the results");
            return [arguments](Console& console) { return run_demo(console, *arguments); };
          }};
}

}  // namespace adze::cli
