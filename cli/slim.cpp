#include <map>
#include <nlohmann/json.hpp>

#include "adze/base/text.h"
#include "adze/recipe/figures.h"
#include "adze/recipe/model_files.h"
#include "adze/recipe/slim.h"
#include "cli/data_options.h"
#include "cli/model_zeros.h"
#include "cli/verb.h"

namespace adze::cli {

namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
  std::string input, output;
  std::vector<std::string> skip, shapes;
  bool no_verify = false;
  bool allow_growth = false;
  double tolerance = 1e-4;
};

std::map<std::string, std::pair<int, int>> operator_changes(const Graph& before, const Graph& after) {
  std::map<std::string, std::pair<int, int>> counts;
  for (const NodeId id : before.node_ids()) ++counts[std::string(op_name(before.node(id).kind))].first;
  for (const NodeId id : after.node_ids()) ++counts[std::string(op_name(after.node(id).kind))].second;
  return counts;
}

Table summary_table(const Graph& before, const Graph& after, const ModelFigures& a, const ModelFigures& b) {
  Table table({"", "before", "after"});
  for (const auto& [name, count] : operator_changes(before, after)) {
    if (count.first != count.second) table.add_row({name, cat(count.first), cat(count.second)});
  }
  table.add_rule();
  table.add_row({"nodes", cat(before.num_alive_nodes()), cat(after.num_alive_nodes())});
  table.add_row({"parameters", count_text(a.parameters), count_text(b.parameters)});
  table.add_row({"MACs", count_text(a.macs), count_text(b.macs)});
  table.add_row({"file", bytes_text(a.file_bytes), bytes_text(b.file_bytes)});
  table.add_row({"peak activations", bytes_text(a.peak_activation_bytes), bytes_text(b.peak_activation_bytes)});
  return table;
}

Json figures_json(const Graph& graph, const ModelFigures& figures) {
  return {{"nodes", graph.num_alive_nodes()},
          {"parameters", figures.parameters},
          {"macs", figures.macs},
          {"file_bytes", figures.file_bytes},
          {"peak_activation_bytes", figures.peak_activation_bytes}};
}

ExitCode run_slim(Console& console, const Arguments& arguments) {
  console.check_output(arguments.output);
  const Graph before = load_model(arguments.input);
  SlimOptions options;
  options.skip = arguments.skip;
  options.verify = !arguments.no_verify;
  options.seed = static_cast<std::uint64_t>(console.options.seed);
  options.shapes = parse_shapes(arguments.shapes);
  options.tolerance = arguments.tolerance;
  const SlimOutcome outcome = slim(before, options, console.progress());
  save_model(outcome.graph, arguments.output);
  const ModelFigures a = model_figures(before, "before", arguments.input);
  const ModelFigures b = model_figures(outcome.graph, "after", arguments.output);
  if (b.file_bytes > a.file_bytes + a.file_bytes / 10 && !arguments.allow_growth) {
    console.remark(cat("warning: the file grew from ", bytes_text(a.file_bytes), " to ", bytes_text(b.file_bytes)));
  }
  console.model("input", arguments.input);
  console.model("output", arguments.output);
  show_zeros(console, outcome.graph);
  Json steps = Json::array();
  for (const auto& step : outcome.steps) {
    steps.push_back(
        {{"name", step.name}, {"changes", step.changes}, {"seconds", step.seconds}, {"skipped", step.skipped}});
  }
  console.results() = {{"before", figures_json(before, a)},
                       {"after", figures_json(outcome.graph, b)},
                       {"steps", steps},
                       {"verified", outcome.verified},
                       {"max_relative_difference", outcome.difference.max_rel}};
  console.table(summary_table(before, outcome.graph, a, b));
  console.line("");
  console.line(outcome.verified ? cat("verified: outputs agree on random inputs, largest difference ",
                                      outcome.difference.max_abs, " (", outcome.difference.max_rel, " relative)")
                                : "not verified (--no-verify)");
  return ExitCode::Done;
}

}  // namespace

Verb slim_verb() {
  return {"slim", "Rewrite a model to fewer nodes with the same meaning, and verify that it is the same",
          "  adze slim big.onnx slim.onnx\n"
          "  adze slim big.onnx slim.onnx --skip fold-constants\n"
          "  adze slim bert.onnx slim.onnx --shapes input_ids:1x128\n",
          [](Options& options) -> Action {
            auto arguments = std::make_shared<Arguments>();
            options.positional(arguments->input, "INPUT", "Model file: ONNX, TFLite or .adze text");
            options.positional(arguments->output, "OUTPUT", "File to write: .onnx, .tflite or .adze");
            options.option(arguments->skip, "--skip", "Leave out a step, by name (may be repeated)");
            options.option(arguments->shapes, "--shapes",
                           "Input shape for the check, NAME:1x3x224x224 (may be repeated)");
            options.option(arguments->tolerance, "--tolerance",
                           "Largest difference allowed, relative to the output's range");
            options.flag(arguments->no_verify, "--no-verify", "Do not compare the outputs before and after");
            options.flag(arguments->allow_growth, "--allow-growth", "Do not warn when the file grows");
            return [arguments](Console& console) { return run_slim(console, *arguments); };
          }};
}

}  // namespace adze::cli
