#include "cli/prune_sensitivity.h"

#include <nlohmann/json.hpp>

#include "adze/base/text.h"
#include "adze/prune/sensitivity.h"
#include "adze/report/table.h"

namespace adze::cli {

namespace {

/// What is measured, by name and size.
struct Measured {
  std::string name;
  std::int64_t size;
  std::vector<double> errors;
};

std::vector<Measured> sensitive_layers(Console& console, const Graph& graph, const prune::PruneOptions& options,
                                       const prune::PruneInputs& inputs, const std::vector<double>& ratios) {
  const std::vector<prune::Layer> layers = prune::weight_layers(graph, options.skip);
  const auto scores = prune::score_weights(graph, layers, options, inputs, console.progress());
  std::vector<Measured> result;
  for (const prune::GroupSensitivity& one : prune::measure_weight_sensitivity(
           graph, layers, scores, options.pattern, ratios, inputs.batches, console.progress())) {
    const prune::Layer& layer = layers[one.group];
    result.push_back({graph.node(layer.node).name, layer.rows * layer.columns, one.errors});
  }
  return result;
}

std::vector<Measured> sensitive_groups(Console& console, const Graph& graph, const prune::PruneOptions& options,
                                       const prune::PruneInputs& inputs, const std::vector<double>& ratios) {
  const prune::Groups groups = prune::find_groups(graph);
  const auto scores = prune::score_groups(graph, groups, options, inputs, console.progress());
  std::vector<Measured> result;
  for (const prune::GroupSensitivity& one :
       prune::measure_sensitivity(graph, groups, scores, ratios, inputs.batches, console.progress())) {
    const prune::Group& group = groups.groups[one.group];
    result.push_back({group.name, group.size, one.errors});
  }
  return result;
}

}  // namespace

ExitCode show_sensitivity(Console& console, const Graph& graph, const prune::PruneOptions& options,
                          const prune::PruneInputs& inputs) {
  const std::vector<double> ratios = {0.1, 0.25, 0.5, 0.75, 0.9};
  if (options.depth) throw UsageError("blocks and layers go whole", "adze prune --unit … says what each does");
  const std::vector<Measured> measured = options.channels ? sensitive_groups(console, graph, options, inputs, ratios)
                                                          : sensitive_layers(console, graph, options, inputs, ratios);
  Table table({options.channels ? "group" : "layer", options.channels ? "units" : "weights", "10 %", "25 %", "50 %",
               "75 %", "90 %"},
              cat("Squared error of the outputs over their square when a share of one ",
                  options.channels ? "group goes" : "layer's weights becomes 0"));
  for (const Measured& one : measured) {
    std::vector<std::string> row = {one.name, cat(one.size)};
    for (const double error : one.errors) row.push_back(fixed(error, 5));
    table.add_row(row);
    console.results()["sensitivity"].push_back({{"group", one.name}, {"ratios", ratios}, {"errors", one.errors}});
  }
  console.table(table);
  return ExitCode::Done;
}

}  // namespace adze::cli
