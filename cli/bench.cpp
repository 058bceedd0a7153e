#include <nlohmann/json.hpp>

#include "adze/base/machine.h"
#include "adze/base/text.h"
#include "adze/evaluate/latency.h"
#include "adze/recipe/model_files.h"
#include "adze/report/report.h"
#include "cli/data_options.h"
#include "cli/verb.h"

namespace adze::cli {

namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
  std::string model;
  double time_budget = 3.0;
  std::string isa;
  std::vector<std::string> shapes;
  bool per_layer = false;
  bool samples = false;
};

Table layer_table(const LatencyResult& result) {
  double total = 0;
  for (const StepInfo& step : result.steps) total += step.seconds;
  Table table({"layer", "operator", "kernel", "µs", "share"});
  for (const StepInfo& step : result.steps) {
    const double calls = static_cast<double>(std::max<std::int64_t>(1, step.calls));
    table.add_row({shortened(step.name, 48), step.op, step.kernel, fixed(1e6 * step.seconds / calls, 2),
                   cat(fixed(total > 0 ? 100 * step.seconds / total : 0, 1), " %")});
  }
  return table;
}

Json result_json(const LatencyResult& result, bool with_samples) {
  Json json = {{"p50_us", result.p50_us},          {"p90_us", result.p90_us},   {"p99_us", result.p99_us},
               {"min_us", result.min_us},          {"mean_us", result.mean_us}, {"runs", result.runs},
               {"threads", result.threads},        {"isa", result.isa},         {"noisy", result.noisy},
               {"arena_bytes", result.arena_bytes}};
  if (with_samples) json["samples_us"] = result.samples_us;
  if (result.steps.empty()) return json;
  Json layers = Json::array();
  for (const StepInfo& step : result.steps) {
    layers.push_back({{"name", step.name},
                      {"op", step.op},
                      {"kernel", step.kernel},
                      {"us", 1e6 * step.seconds / static_cast<double>(std::max<std::int64_t>(1, step.calls))}});
  }
  json["layers"] = std::move(layers);
  return json;
}

ExitCode run_bench(Console& console, const Arguments& arguments) {
  const Graph graph = load_model(arguments.model);
  LatencyOptions options;
  options.seconds = arguments.time_budget;
  options.seed = static_cast<std::uint64_t>(console.options.seed);
  options.threads = console.options.threads > 0 ? static_cast<int>(console.options.threads) : 1;
  options.isa = arguments.isa;
  options.input_shapes = parse_shapes(arguments.shapes);
  options.per_layer = arguments.per_layer;
  const LatencyResult result = measure_latency(graph, options, console.progress());
  console.model("model", arguments.model);
  console.results() = result_json(result, arguments.samples);
  Table table({"model", "p50", "p90", "p99", "min", "runs", "threads", "isa"});
  table.add_row({arguments.model, latency_text(result.p50_us), latency_text(result.p90_us), latency_text(result.p99_us),
                 latency_text(result.min_us), cat(result.runs), cat(result.threads), result.isa});
  console.table(table);
  if (arguments.per_layer) {
    console.line("");
    console.table(layer_table(result));
  }
  if (result.noisy)
    console.remark("warning: the machine is noisy (p90 far above p50): the minimum is the better figure");
  return ExitCode::Done;
}

}  // namespace

Verb bench_verb() {
  return {"bench", "Measure a model's latency at batch 1 on this machine",
          "  adze bench model-int8.onnx --threads 1\n"
          "  adze bench model.onnx --per-layer\n"
          "  adze bench model.onnx --isa avx2 --time-budget 10\n"
          "  adze bench model.onnx --json | jq .results.p50_us\n",
          [](Options& options) -> Action {
            auto arguments = std::make_shared<Arguments>();
            options.positional(arguments->model, "MODEL", "Model file: ONNX, TFLite or .adze text");
            options.option(arguments->time_budget, "--time-budget", "Seconds to measure for");
            options.option(arguments->isa, "--isa",
                           "Highest instruction set: ref, avx2, avxvnni, avx512vnni, avx512vbmi, amx; default the best there is");
            options.option(arguments->shapes, "--shapes", "Shape of an input, NAME:1x3x224x224 (may be repeated)");
            options.flag(arguments->per_layer, "--per-layer",
                         "Show the time of each layer and the kernel that runs it");
            options.flag(arguments->samples, "--samples", "With --json: every single time");
            return [arguments](Console& console) { return run_bench(console, *arguments); };
          }};
}

}  // namespace adze::cli
