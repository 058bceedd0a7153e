#include "cli/prune_cost.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "adze/base/files.h"
#include "adze/base/text.h"
#include "adze/evaluate/latency.h"
#include "adze/plan/plan.h"
#include "adze/quantize/calibration.h"
#include "adze/quantize/ptq.h"
#include "adze/recipe/slim.h"
#include "adze/report/curves.h"
#include "adze/report/table.h"
#include "cli/device_run.h"
#include "cli/golden_runs.h"

namespace adze::cli {

namespace {

/// As it is deployed: batch norms folded, one sample.
Graph deployed(const Graph& graph, ProgressSink& progress) {
  SlimOptions options;
  options.verify = false;
  return with_unknown_dims(slim(graph, options, progress).graph, 1);
}

}  // namespace

prune::NetworkCost engine_cost(const Console&) {
  return [](const Graph& graph) {
    LatencyOptions options;
    options.warm_up_seconds = 0.02;
    options.seconds = 0.1;
    options.min_runs = 20;
    options.per_layer = true;
    double sum = 0;
    for (const StepInfo& step : measure_latency(deployed(graph, silent_progress()), options).steps) {
      sum += 1e6 * step.least_seconds;
    }
    return sum;
  };
}

prune::NetworkCost device_cost(const Console& console, const std::string& device) {
  const device::Profile profile = device::load_profile(device);
  return [profile, seed = console.options.seed](const Graph& graph) {
    const Graph plain = deployed(graph, silent_progress());
    std::vector<std::vector<Tensor>> samples = {random_inputs(plain, 1), random_inputs(plain, 2)};
    const Graph integer =
        quantize::quantize(plain, quantize::calibration_from(std::move(samples)), quantize::PtqOptions{}).graph;
    Graph emitted = emittable(integer, true, true);
    emitted.metadata["adze.rounding"] = "tflm";
    emit::EmitOptions options;
    options.golden = golden_runs(emitted, 1, seed);
    const DeviceRun run = run_on_device(emitted, options, profile);
    if (!run.emulation.available) throw UnsupportedError(run.emulation.why_not);
    return static_cast<double>(run.emulation.instructions);
  };
}

void show_staircases(Console& console, const std::vector<std::string>& names,
                     const std::vector<prune::Staircase>& staircases, std::string_view unit,
                     const std::string& drawing) {
  Table table({"group", "kept", cat("whole network, ", unit)},
              "What the network costs with so many units of one group");
  std::vector<Curve> curves;
  for (const prune::Staircase& one : staircases) {
    const std::string& name = names.at(one.group);
    std::string kept, costs;
    Curve curve{name, {}, true, false};
    for (std::size_t i = 0; i < one.kept.size(); ++i) {
      kept += cat(i > 0 ? " " : "", one.kept[i]);
      costs += cat(i > 0 ? " " : "", fixed(one.costs[i], one.costs[i] < 1000 ? 1 : 0));
      curve.points.emplace_back(static_cast<double>(one.kept[i]), one.costs[i]);
    }
    table.add_row({name, kept, costs});
    curves.push_back(std::move(curve));
    console.results()["staircase"].push_back(
        {{"group", name}, {"kept", one.kept}, {"costs", one.costs}, {"unit", unit}});
  }
  console.table(table);
  if (drawing.empty()) return;
  console.check_output(drawing);
  write_file(drawing, curves_svg(curves, {"Cost against kept channels", "channels kept of one group",
                                          cat("whole network, ", unit)}));
  console.line(cat(drawing, " written"));
}

}  // namespace adze::cli
