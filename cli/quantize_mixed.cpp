#include "cli/quantize_mixed.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <regex>

#include "adze/base/hash.h"
#include "adze/base/text.h"
#include "adze/data/batches.h"
#include "adze/formats/onnx/write.h"
#include "adze/graph/infer.h"
#include "adze/quantize/bits.h"
#include "adze/quantize/layers.h"
#include "adze/quantize/mixed.h"
#include "adze/quantize/presets.h"
#include "adze/quantize/width_latency.h"
#include "cli/quantize_mixed_tables.h"

namespace adze::cli {

namespace {

using Json = nlohmann::ordered_json;

QuantizeStep& quantize_step(Recipe& recipe) {
  for (auto& step : recipe.steps) {
    if (auto* found = std::get_if<QuantizeStep>(&step)) return *found;
  }
  throw InternalError("a recipe without quantization");
}

/// The graph that the quantization step will get.
Graph before_quantization(const Graph& original, const Recipe& recipe, Console& console) {
  Recipe first = recipe;
  first.steps.pop_back();
  Graph graph = first.steps.empty() ? original : run_recipe(original, first, console.progress()).graph;
  infer_types(graph);
  return graph;
}

/// "int4", "w4a8" or "f32" for the layers whose name the expression matches; the first that fits counts.
void apply_tensors(const Graph& graph, const std::vector<std::string>& texts, quantize::PtqOptions& options) {
  std::vector<quantize::LayerBits> named;
  for (const std::string& text : texts) {
    const std::size_t equals = text.rfind('=');
    if (equals == std::string::npos) throw UsageError(cat("--tensor is REGEX=TYPE, got ", adze::quoted(text)));
    const std::string type = text.substr(equals + 1);
    int matches = 0;
    try {
      const std::regex expression(text.substr(0, equals));
      for (const NodeId id : graph.node_ids()) {
        const Node& node = graph.node(id);
        if (!quantize::weight_input(graph, node) || !std::regex_search(node.name, expression)) continue;
        ++matches;
        if (type == "f32" || type == "float") {
          options.skip.push_back(node.name);
        } else {
          quantize::BitWidths bits = quantize::parse_bit_widths(type);
          if (type[0] == 'i') bits.activations = 8;  // "int4" speaks of the tensor, which is the weight
          named.push_back({node.name, bits});
        }
      }
    } catch (const std::regex_error& error) {
      throw UsageError(cat("--tensor ", adze::quoted(text), ": ", error.what()));
    }
    if (matches == 0)
      throw UsageError(cat("--tensor ", adze::quoted(text), " fits no layer"), "adze inspect lists them");
  }
  options.layer_bits.insert(options.layer_bits.begin(), named.begin(), named.end());
}

struct Calibration {
  std::shared_ptr<Dataset> dataset;
  quantize::CalibrationData data;
};

Calibration open_calibration(const Graph& graph, const Recipe& recipe) {
  if (recipe.calibration.path.empty()) throw UsageError("choosing widths needs data", "--calibration FOLDER");
  Calibration calibration;
  calibration.dataset = open_data(graph, recipe.calibration);
  calibration.data = calibration_data(
      graph, calibration.dataset,
      sample_indices(*calibration.dataset, recipe.calibration_samples, recipe.seed, Sampling::Stratified));
  return calibration;
}

std::vector<SensitivityFigure> sensitivity_figures(const quantize::MixedOutcome& outcome) {
  std::vector<SensitivityFigure> figures;
  const std::vector<int> widths = widths_of(outcome.curves);
  for (std::size_t i = 0; i < outcome.curves.size(); ++i) {
    const auto& curve = outcome.curves[i];
    SensitivityFigure figure{curve.node, curve.weights, widths, {}, 0};
    for (const int bits : widths) figure.damage.push_back(damage_at(curve, bits).value_or(std::nan("")));
    if (i < outcome.layer_bits.size()) figure.chosen = outcome.layer_bits[i].bits.weights;
    figures.push_back(std::move(figure));
  }
  return figures;
}

void choose_by_budget(Console& console, const quantize::Trials& trials, const MixedArguments& arguments,
                      const std::string& key, quantize::PtqOptions& options, MixedFigures& figures) {
  constexpr double usual_bits = 4.5;  // of the preset "mixed"
  quantize::MixedBudget budget{quantize::BudgetKind::Bits, arguments.target_bits};
  if (arguments.preset == "mixed" && !(arguments.target_bits > 0)) budget.limit = usual_bits;
  if (!arguments.target_size.empty()) {
    budget = {quantize::BudgetKind::Bytes, static_cast<double>(quantize::parse_bytes(arguments.target_size))};
  } else if (arguments.target_bit_operations > 0) {
    budget = {quantize::BudgetKind::BitOperations, arguments.target_bit_operations};
  } else if (!arguments.target_latency.empty()) {
    budget = {quantize::BudgetKind::Latency, 1, arguments.target_latency};
    quantize::parse_latency(arguments.target_latency, 1);  // says what is wrong before anything is measured
  }
  const bool has_budget = budget.limit > 0;
  if (!has_budget) budget.limit = 8;
  quantize::MixedOptions mixed;
  mixed.curve_file = arguments.sensitivity;
  mixed.curve_key = key;
  if (!has_budget) mixed.refinements = 0;
  const auto outcome = quantize::choose_widths(trials, options, budget, mixed, console.progress());
  print_curves(console, outcome.curves);
  figures.sensitivity = sensitivity_figures(outcome);
  if (!has_budget) {
    for (SensitivityFigure& one : figures.sensitivity) one.chosen = 0;
    return;
  }
  quantize::set_layer_bits(options, outcome.layer_bits);
  Json json = Json::array();
  for (const auto& one : outcome.layer_bits) {
    const std::string bits =
        one.bits.weights == quantize::float_bits ? std::string("float") : bit_widths_text(one.bits);
    console.line(cat("  ", one.pattern, ": ", bits));
    json.push_back({{"node", one.pattern}, {"bits", bits}});
  }
  for (const std::string& change : outcome.changes) console.line(cat("  refined: ", change));
  if (budget.kind == quantize::BudgetKind::Latency) print_times(console, outcome);
  console.line(cat("cost ", outcome.cost, " of ", outcome.limit, "; sum of damages ", outcome.predicted,
                   " (no allocation is below ", outcome.bound, "); measured output noise ", outcome.measured));
  console.results()["layer_bits"] = std::move(json);
}

void choose_by_accuracy(Console& console, const Graph& graph, const quantize::Trials& trials, const Recipe& recipe,
                        const MixedArguments& arguments, quantize::PtqOptions& options, MixedFigures& figures) {
  DataRequest request = recipe.calibration;
  if (!arguments.validation.empty()) {
    request.name = arguments.validation;
    request.path = resolve_data_path(arguments.validation);
  }
  const std::shared_ptr<Dataset> dataset = open_data(graph, request);
  EvaluateOptions evaluation;
  evaluation.batch_size = batch_size_for(graph, 32);
  evaluation.samples = arguments.validation_samples;
  evaluation.seed = recipe.seed + 1;  // others than those of calibration, but for chance
  const auto judge = [dataset, evaluation](const Graph& network) {
    return evaluate(make_runner(network), *dataset, evaluation);
  };
  const EvaluateResult exact = judge(graph);
  const double limit = parse_fraction(arguments.max_drop, "--max-drop");
  const auto outcome = quantize::raise_widths(trials, options, limit, exact, judge, console.progress());
  options.layer_bits = outcome.layer_bits;
  figures.judge = judge;
  figures.exact = exact;
  figures.max_drop = limit;
  for (const auto& step : outcome.steps) {
    TrialFigures trial;
    trial.name = step.what;
    trial.verdict = step.why;
    trial.within_limits = step.highest_drop <= limit;
    trial.chosen = &step == &outcome.steps.back();
    trial.drop = step.drop;
    trial.drop_low = step.lowest_drop;
    trial.drop_high = step.highest_drop;
    trial.p_value = step.p_value;
    trial.figures.file_bytes = step.weight_bits / 8;
    trial.figures.accuracy =
        AccuracyFigure{"top-1",
                       step.top1,
                       step.interval.low,
                       step.interval.high,
                       static_cast<std::int64_t>(step.top1 * static_cast<double>(exact.samples) + 0.5),
                       exact.samples};
    figures.trials.push_back(std::move(trial));
  }
  Table table({"step", "why", "bits a weight", "top-1", "points lost", "at most", "p"});
  Json json = Json::array();
  for (const auto& step : outcome.steps) {
    table.add_row({step.what, step.why, fixed(step.mean_bits, 2), cat(fixed(100 * step.top1, 2), " %"),
                   fixed(100 * step.drop, 2), fixed(100 * step.highest_drop, 2), fixed(step.p_value, 3)});
    json.push_back({{"what", step.what},
                    {"why", step.why},
                    {"mean_bits", step.mean_bits},
                    {"top1", step.top1},
                    {"drop", step.drop},
                    {"highest_drop", step.highest_drop},
                    {"p", step.p_value}});
  }
  console.table(table);
  console.line(cat("float: ", fixed(100 * exact.top1, 2), " % of ", exact.samples, " samples; the limit of ",
                   fixed(100 * limit, 2), " points ", outcome.within_limit ? "holds" : "does not hold"));
  console.results()["raised"] = std::move(json);
  console.results()["within_limit"] = outcome.within_limit;
}

std::vector<std::string> presets() {
  std::vector<std::string> names{"none"};
  for (const std::string& name : quantize::preset_names()) names.push_back(name);
  return names;
}

}  // namespace

void MixedArguments::declare(Options& options) {
  options.choice(preset, "--preset", "Mode, bits and rounding in one word (docs/quantization.md)", presets());
  options.option(tensors, "--tensor", "REGEX=TYPE (int4, w4a8, f32) for layers by name (may be repeated)");
  options.option(target_size, "--target-size", "Bytes of weights, packed, such as 256KiB: bits are chosen by layer");
  options.option(target_bits, "--target-bits", "Mean bits of a weight, such as 4.5: bits are chosen by layer");
  options.option(target_bit_operations, "--target-bit-operations", "MACs times bits of both sides, of one sample");
  options.option(
      target_latency, "--target-latency",
      "Time of one inference in the engine here, 3ms, or 80% of int8's: 2, 4 or 8 bits or float by layer, measured");
  options.option(max_drop, "--max-drop", "Raise layers from --bits until top-1 falls by no more, such as 1%");
  options.option(sensitivity, "--sensitivity", "File of each layer's damage by bits: written, and read to go on");
  options.option(validation, "--validation", "Labelled data for --max-drop; default: the calibration data");
  options.option(validation_samples, "--validation-samples", "Of them");
}

MixedFigures choose_widths(Console& console, const Graph& original, const MixedArguments& arguments, Recipe& recipe) {
  MixedFigures figures;
  quantize::PtqOptions& options = quantize_step(recipe).options;
  if (arguments.tensors.empty() && !arguments.chooses()) return figures;
  const Graph graph = before_quantization(original, recipe, console);
  apply_tensors(graph, arguments.tensors, options);
  if (!arguments.chooses()) return figures;
  if (options.mode != quantize::Mode::Static) {
    throw UsageError("widths are chosen for static quantization only", "leave out --mode");
  }
  const Calibration calibration = open_calibration(graph, recipe);
  constexpr std::int64_t batches = 4;
  const quantize::Trials trials(graph, calibration.data, options, batches, console.progress());
  if (!arguments.max_drop.empty()) {
    choose_by_accuracy(console, graph, trials, recipe, arguments, options, figures);
  } else {
    const std::string bytes = onnx::write_bytes(graph);
    const std::string key = cat(recipe_hash(recipe), " ", sha256_hex(std::as_bytes(std::span(bytes))));
    choose_by_budget(console, trials, arguments, key, options, figures);
  }
  return figures;
}

void judge_again(Console& console, const Graph& quantized, MixedFigures& figures) {
  if (!figures.judge) return;
  const quantize::RaiseStep step = quantize::judged(figures.exact, figures.judge(quantized));
  const bool holds = step.highest_drop <= figures.max_drop;
  console.line(cat("as written, all methods applied: ", fixed(100 * step.top1, 2), " %, ", fixed(100 * step.drop, 2),
                   " points lost, at most ", fixed(100 * step.highest_drop, 2), ", p ", fixed(step.p_value, 3),
                   holds ? ": the limit holds" : ": the limit does not hold"));
  console.results()["final"] = {{"top1", step.top1},
                                {"drop", step.drop},
                                {"highest_drop", step.highest_drop},
                                {"p", step.p_value},
                                {"within_limit", holds}};
}

}  // namespace adze::cli
