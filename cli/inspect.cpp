#include <map>
#include <nlohmann/json.hpp>

#include "adze/base/files.h"
#include "adze/base/text.h"
#include "adze/graph/states.h"
#include "adze/graph/text.h"
#include "adze/recipe/figures.h"
#include "adze/recipe/model_files.h"
#include "cli/inspect_format.h"
#include "cli/model_zeros.h"
#include "cli/verb.h"

namespace adze::cli {

namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
  std::string model;
  bool text = false;
  bool operators = false;
  std::vector<std::string> formats;  ///< number formats to show instead of a model
  std::string picture;
  bool logarithmic = false;
};

Json interface_json(const Graph& graph, const std::vector<ValueId>& ids) {
  Json array = Json::array();
  for (const ValueId id : ids)
    array.push_back({{"name", graph.value(id).name}, {"type", type_text(graph.value(id).type)}});
  return array;
}

std::map<std::string, int> operator_counts(const Graph& graph) {
  std::map<std::string, int> counts;
  for (const NodeId id : graph.node_ids()) ++counts[std::string(op_name(graph.node(id).kind))];
  return counts;
}

Table layer_table(const std::vector<LayerFigures>& layers) {
  Table table({"layer", "operator", "output", "MACs", "parameters", "weights"});
  for (const LayerFigures& layer : layers) {
    table.add_row({shortened(layer.name, 48), layer.op, layer.output, layer.macs > 0 ? count_text(layer.macs) : "-",
                   layer.parameters > 0 ? count_text(layer.parameters) : "-",
                   layer.weight_bytes > 0 ? layer.weight_type : "-"});
  }
  return table;
}

Table operator_table(const std::map<std::string, int>& counts) {
  Table table({"operator", "nodes"});
  for (const auto& [name, count] : counts) table.add_row({name, cat(count)});
  return table;
}

void print_interface(Console& console, const Graph& graph) {
  for (const ValueId id : graph.inputs()) {
    console.line(cat("input   ", graph.value(id).name, "  ", type_text(graph.value(id).type)));
  }
  for (const ValueId id : graph.outputs()) {
    console.line(cat("output  ", graph.value(id).name, "  ", type_text(graph.value(id).type)));
  }
}

/// What is kept between calls.
void print_states(Console& console, const Graph& graph) {
  const std::vector<StatePair> states = find_states(graph);
  if (states.empty()) return;
  const StateBytes bytes = state_bytes(graph, states);
  Json pairs = Json::array();
  for (const StatePair& state : states) {
    pairs.push_back({{"input", graph.value(graph.inputs()[state.input]).name},
                     {"output", graph.value(graph.outputs()[state.output]).name}});
  }
  console.results()["states"] = {{"pairs", pairs}, {"bytes", bytes.whole}, {"bytes_a_token", bytes.per_place}};
  std::string text = cat(states.size(), ", ");
  if (bytes.whole > 0) text += cat(bytes.whole, " B");
  if (bytes.whole > 0 && bytes.per_place > 0) text += " and ";
  if (bytes.per_place > 0) text += cat(bytes.per_place, " B a token");
  console.line(cat("states            ", text, ", kept between calls"));
}

ExitCode inspect(Console& console, const Arguments& arguments) {
  if (!arguments.formats.empty()) {
    if (!arguments.model.empty()) throw UsageError("inspect shows a model or number formats (--format), not both");
    return inspect_formats(console, arguments.formats, arguments.picture, arguments.logarithmic);
  }
  if (arguments.model.empty()) throw UsageError("inspect needs a model file, or --format NAME");
  const Graph graph = load_model(arguments.model);
  if (arguments.text && !console.options.json) {
    console.line(print_graph(graph, {.constant_data = false}));
    return ExitCode::Done;
  }
  const ModelFigures figures = model_figures(graph, arguments.model, arguments.model);
  const std::vector<LayerFigures> layers = layer_figures(graph);
  console.model("model", arguments.model);

  Json& results = console.results();
  results["name"] = graph.name;
  results["producer"] = graph.producer;
  results["inputs"] = interface_json(graph, graph.inputs());
  results["outputs"] = interface_json(graph, graph.outputs());
  results["nodes"] = graph.num_alive_nodes();
  results["parameters"] = figures.parameters;
  results["macs"] = figures.macs;
  results["file_bytes"] = figures.file_bytes;
  results["weight_bytes"] = figures.weight_bytes;
  results["peak_activation_bytes"] = figures.peak_activation_bytes;
  results["arena_bytes"] = figures.arena_bytes;
  results["operators"] = operator_counts(graph);
  results["metadata"] = graph.metadata;
  Json rows = Json::array();
  for (const LayerFigures& layer : layers) {
    rows.push_back({{"name", layer.name},
                    {"op", layer.op},
                    {"output", layer.output},
                    {"macs", layer.macs},
                    {"parameters", layer.parameters},
                    {"weight_bytes", layer.weight_bytes},
                    {"weights", layer.weight_type}});
  }
  results["layers"] = std::move(rows);

  print_interface(console, graph);
  console.line("");
  console.table(arguments.operators ? operator_table(operator_counts(graph)) : layer_table(layers));
  console.line("");
  console.line(cat("parameters        ", count_text(figures.parameters), " (", figures.parameters, ")"));
  console.line(cat("MACs              ", count_text(figures.macs), " (", figures.macs, ", batch 1)"));
  console.line(cat("file              ", bytes_text(figures.file_bytes)));
  console.line(cat("weights           ", bytes_text(figures.weight_bytes)));
  console.line(cat("peak activations  ", bytes_text(figures.peak_activation_bytes), " (", figures.peak_activation_bytes,
                   " B, batch 1)"));
  show_zeros(console, graph);
  print_states(console, graph);
  return ExitCode::Done;
}

}  // namespace

Verb inspect_verb() {
  return {"inspect", "Show a model's layers, shapes, parameters, MACs and peak activation memory",
          "  adze inspect model.onnx\n"
          "  adze inspect model.tflite --operators      only how many of each operator\n"
          "  adze inspect model.onnx --text             the whole graph as text\n"
          "  adze inspect --format f8e4m3               range and codes of a number format\n"
          "  adze inspect model.onnx --json | jq .results.macs\n",
          [](Options& options) -> Action {
            auto arguments = std::make_shared<Arguments>();
            options.positional(arguments->model, "MODEL",
                               "Model file: ONNX, TFLite or .adze text; or zoo:NAME (see docs/zoo.md)",
                               Options::Need::Optional);
            options.option(arguments->formats, "--format",
                           "Show a number format instead (may be repeated; all): see docs/formats.md");
            options.option(arguments->picture, "--picture", "With --format: write number lines as SVG");
            options.flag(arguments->logarithmic, "--logarithmic", "Number lines by exponent");
            options.flag(arguments->operators, "--operators", "Count operators instead of listing layers");
            options.flag(arguments->text, "--text", "Print the graph as text");
            return [arguments](Console& console) { return inspect(console, *arguments); };
          }};
}

}  // namespace adze::cli
