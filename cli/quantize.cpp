#include <cmath>
#include <nlohmann/json.hpp>

#include "adze/base/files.h"
#include "adze/base/text.h"
#include "adze/data/batches.h"
#include "adze/graph/states.h"
#include "adze/quantize/presets.h"
#include "adze/recipe/figures.h"
#include "adze/recipe/model_files.h"
#include "adze/recipe/quantization_report.h"
#include "adze/recipe/recipe.h"
#include "cli/data_options.h"
#include "cli/model_zeros.h"
#include "cli/quantize_mixed.h"
#include "cli/verb.h"

namespace adze::cli {

namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
  std::string input, output, emit_recipe;
  DataOptions data;
  std::int64_t samples = 256;
  std::string mode = "static", weights = "per-channel", activations = "asymmetric", dtype = "s8", calibrator = "mse";
  std::string final_activation = "float", bits, device, report;
  std::int64_t end_bits = 8;
  std::vector<std::string> layer_bits;
  double percentile = 99.99;
  std::vector<std::string> skip;
  MixedArguments mixed;
  bool equalize = false, gptq_by_activity = false;
  std::string bias_correction = "none", rounding = "nearest";
  double smooth = -1, split_outliers = 0;
  bool awq = false, zero_shot = false, reduce_range = false, power_of_two = false, blocks = false;
  std::int64_t block = 0, synthetic_samples = 0;
  std::string format, state_scales = "auto", dynamic = "none";
  std::vector<std::string> states;
  std::int64_t adaround_iterations = quantize::AdaRoundOptions().iterations;
  std::int64_t method_samples = quantize::Methods().samples;
  bool first_layer_float = false, last_layer_float = false, no_slim = false;
};

quantize::Methods methods_from(const Arguments& arguments) {
  quantize::Methods methods;
  methods.equalize = arguments.equalize;
  methods.bias_correction = quantize::bias_correction_from_name(arguments.bias_correction);
  methods.rounding = quantize::rounding_from_name(arguments.rounding);
  methods.adaround.iterations = static_cast<int>(arguments.adaround_iterations);
  methods.adaround.blocks = arguments.blocks;
  methods.gptq.by_activity = arguments.gptq_by_activity;
  methods.samples = arguments.method_samples;
  methods.smooth = arguments.smooth;
  methods.awq = arguments.awq;
  methods.split_outliers = arguments.split_outliers;
  methods.zero_shot = arguments.zero_shot;
  return methods;
}

Recipe recipe_from(const Arguments& arguments, std::int64_t seed) {
  quantize::PtqOptions options;
  options.mode = quantize::mode_from_name(arguments.mode);
  quantize::set_granularity(options, arguments.weights);
  options.activations =
      arguments.activations == "symmetric" ? quantize::Symmetry::Symmetric : quantize::Symmetry::Asymmetric;
  options.activation_dtype = arguments.dtype == "u8" ? DType::U8 : DType::S8;
  options.calibrator = quantize::calibrator_from_name(arguments.calibrator);
  options.final_activation =
      arguments.final_activation == "integer" ? quantize::FinalActivation::Integer : quantize::FinalActivation::Float;
  // Where the widths are to be raised, everything starts low.
  const std::string start = arguments.mixed.max_drop.empty() ? "w8a8" : "w2a8";
  options.bits = quantize::parse_bit_widths(arguments.bits.empty() ? start : arguments.bits);
  options.end_bits = static_cast<int>(arguments.end_bits);
  options.layer_bits = quantize::parse_layer_bits(arguments.layer_bits);
  options.percentile = arguments.percentile;
  options.skip = arguments.skip;
  options.methods = methods_from(arguments);
  options.block = arguments.block;
  options.format = arguments.format;
  if (!options.format.empty()) options.mode = quantize::Mode::WeightOnly;
  options.reduce_range = arguments.reduce_range;
  options.power_of_two = arguments.power_of_two;
  if (arguments.mixed.preset != "none") quantize::apply_preset(arguments.mixed.preset, options);
  if (arguments.dynamic != "none") options.mode = quantize::Mode::Dynamic;
  options.dynamic_rows = arguments.dynamic == "per-token";
  options.first_layer_float = arguments.first_layer_float;
  options.last_layer_float = arguments.last_layer_float;
  options.state.scales = quantize::state_scales_from_name(arguments.state_scales);
  std::vector<std::string> pairs;
  for (const std::string& state : arguments.states) {
    if (state.find('=') != std::string::npos) {
      pairs.push_back(state);
    } else {
      options.state.dtype = quantize::state_dtype_from_name(state);
    }
  }
  Recipe recipe;
  recipe.seed = static_cast<std::uint64_t>(seed);
  recipe.calibration = arguments.data.request();
  recipe.calibration_samples = arguments.samples;
  if (!arguments.no_slim) recipe.steps.emplace_back(SlimStep{});
  recipe.steps.emplace_back(QuantizeStep{options, arguments.device, arguments.synthetic_samples, pairs});
  return recipe;
}

Json quantization_json(const quantize::QuantizeReport& report) {
  Json activations = Json::array(), weights = Json::array();
  for (const auto& one : report.activations) {
    activations.push_back({{"name", one.value},
                           {"min", one.min},
                           {"max", one.max},
                           {"low", one.low},
                           {"high", one.high},
                           {"scale", one.affine.scale},
                           {"zero_point", one.affine.zero_point},
                           {"saturated", one.saturated}});
  }
  for (const auto& one : report.weights) {
    weights.push_back({{"name", one.value},
                       {"node", one.node},
                       {"scales", one.num_scales},
                       {"sqnr_db", std::isfinite(one.sqnr_db) ? Json(one.sqnr_db) : Json(nullptr)}});
  }
  return {{"activations", activations},        {"weights", weights},        {"quantized_nodes", report.quantized_nodes},
          {"float_nodes", report.float_nodes}, {"methods", report.methods}, {"samples", report.num_samples}};
}

/// A table of what is worth looking at; everything with --json.
void print_diagnosis(Console& console, const quantize::QuantizeReport& report) {
  Table table({"activation", "codes used", "cut off", "change", "drift", "remark"},
              "calibration: what may need other or more data");
  Json json = Json::array();
  for (const quantize::ActivationDiagnosis& one : report.calibration) {
    json.push_back({{"name", one.value},
                    {"coverage", one.coverage},
                    {"saturated", one.saturated},
                    {"change", one.change},
                    {"drift", one.drift},
                    {"remarks", one.remarks}});
    if (one.remarks.empty()) continue;
    table.add_row({shortened(one.value, 40), cat(fixed(100 * one.coverage, 0), " %"),
                   cat(fixed(100 * one.saturated, 2), " %"), cat(fixed(100 * one.change, 1), " %"), fixed(one.drift, 3),
                   join(one.remarks, ", ")});
  }
  console.results()["calibration"] = std::move(json);
  if (!table.empty()) console.table(table);
}

void write_report(Console& console, const Arguments& arguments, const Graph& original, const Recipe& recipe,
                  const RecipeOutcome& outcome, MixedFigures& chosen) {
  console.check_output(arguments.report);
  Report report;
  report.title = cat("Quantization of ", arguments.input);
  report.command = console.command_line();
  report.recipe = print_recipe(recipe);
  report.seed = recipe.seed;
  report.notes = outcome.quantization.methods;
  report.before = model_figures(original, "before", arguments.input);
  report.after = model_figures(outcome.graph, "after", arguments.output);
  report.sensitivity = std::move(chosen.sensitivity);
  report.trials = std::move(chosen.trials);
  Recipe slim = recipe;
  slim.steps.pop_back();
  const Graph exact = slim.steps.empty() ? original : run_recipe(original, slim, console.progress()).graph;
  std::shared_ptr<Dataset> dataset;
  // Errors layer by layer are those of single calls: networks with state are compared whole (adze compare).
  if (!recipe.calibration.path.empty() && find_states(exact).empty()) {
    dataset = open_data(exact, recipe.calibration);
    report.data = recipe.calibration.shown();
  }
  add_quantization(report, exact, outcome.graph, outcome.quantization, dataset.get(), console.progress());
  if (dataset != nullptr) {
    const auto indices = sample_indices(*dataset, recipe.calibration_samples, recipe.seed, Sampling::Stratified);
    add_codes(report, outcome.graph, calibration_data(exact, dataset, indices), most_code_samples, console.progress());
  }
  write_file(arguments.report, report_html(report));
}

std::string ranges_from(const Recipe& recipe, const quantize::QuantizeReport& report) {
  if (report.num_samples > 0) return cat(report.num_samples, " calibration samples");
  return recipe.calibration.path.empty() ? "no calibration data" : "calibration data for the methods alone";
}

ExitCode run_quantize(Console& console, const Arguments& arguments) {
  console.check_output(arguments.output);
  const Graph original = load_model(arguments.input);
  Recipe recipe = recipe_from(arguments, console.options.seed);
  MixedFigures chosen = choose_widths(console, original, arguments.mixed, recipe);
  const RecipeOutcome outcome = run_recipe(original, recipe, console.progress());
  save_model(outcome.graph, arguments.output);
  if (!arguments.emit_recipe.empty()) {
    console.check_output(arguments.emit_recipe);
    write_file(arguments.emit_recipe, print_recipe(recipe));
  }
  const ModelFigures before = model_figures(original, "before", arguments.input);
  const ModelFigures after = model_figures(outcome.graph, "after", arguments.output);
  console.model("input", arguments.input);
  console.model("output", arguments.output);
  console.results().update(quantization_json(outcome.quantization));
  print_diagnosis(console, outcome.quantization);
  console.results()["before"] = {{"file_bytes", before.file_bytes}, {"arena_bytes", before.arena_bytes}};
  console.results()["after"] = {{"file_bytes", after.file_bytes}, {"arena_bytes", after.arena_bytes}};
  console.table(before_after_table(before, after));
  console.line("");
  console.line(cat(outcome.quantization.quantized_nodes.size(), " layers quantized, ",
                   outcome.quantization.float_nodes.size(), " left in float, ",
                   ranges_from(recipe, outcome.quantization), ", seed ", console.options.seed));
  for (const std::string& line : outcome.quantization.methods) console.line(cat("  ", line));
  for (const std::string& name : outcome.quantization.float_nodes) console.line(cat("  float: ", name));
  show_zeros(console, outcome.graph);
  remark_skipped(console, outcome.skipped);
  judge_again(console, outcome.graph, chosen);
  if (!arguments.report.empty()) write_report(console, arguments, original, recipe, outcome, chosen);
  console.line(cat("next: adze compare ", arguments.input, " ", arguments.output, " --data …"));
  return ExitCode::Done;
}

void declare_methods(Options& options, Arguments& arguments) {
  options.flag(arguments.equalize, "--equalize", "Make the weight ranges of neighbouring layers alike; Clips open");
  options.choice(arguments.bias_correction, "--bias-correction", "Take the mean error out of biases",
                 {"none", "data", "analytic"});
  options.choice(arguments.rounding, "--rounding", "How weights go to codes", {"nearest", "adaround", "gptq"});
  options.option(arguments.adaround_iterations, "--adaround-iterations", "Steps for each layer");
  options.option(arguments.smooth, "--smooth", "SmoothQuant: share of activations' range that weights take over (0.5)");
  options.flag(arguments.awq, "--awq", "Scale and clip weights by the activations they meet");
  options.option(arguments.split_outliers, "--split-outliers", "Share of channels split to halve the largest weights");
  options.flag(arguments.zero_shot, "--zero-shot", "Ranges from batch-norm statistics instead of data");
  options.option(arguments.synthetic_samples, "--synthetic-samples",
                 "Calibrate on so many samples made up from batch-norm statistics; needs the training plug-in");
  options.option(
      arguments.format, "--weight-format",
      "Weight-only: store weights in such a number format: f16, codebook16, mxfp4, posit8 … (docs/formats.md)");
  options.option(arguments.block, "--block", "Weight-only: inputs that share a scale, such as 32; 0: whole channels");
  options.flag(arguments.blocks, "--blocks", "AdaRound: all layers of a block together; needs the training plug-in");
  options.flag(arguments.power_of_two, "--power-of-two", "Scales are powers of two; needs --activations symmetric");
  options.choice(
      arguments.dynamic, "--dynamic",
      "Mode dynamic: scales of activations found at each run, one a tensor or, in matrix products, one a token",
      {"none", "per-tensor", "per-token"});
  options.option(
      arguments.states, "--state",
      "Keep states between calls (keys and values, recurrent cells) as int8, int4, f8e4m3 or f16; INPUT=OUTPUT "
      "names a pair that is not found (may be repeated)");
  options.choice(arguments.state_scales, "--state-scales", "Granularity of states: keys by channel, values by token",
                 {"auto", "tensor", "head", "channel", "token"});
  options.option(arguments.device, "--device",
                 "Device whose rules decide what is quantized and how (adze device list)");
  options.flag(arguments.reduce_range, "--reduce-range", "Weights of 7 bits, for CPUs without VNNI");
  options.flag(arguments.gptq_by_activity, "--gptq-act-order", "Columns with the largest inputs first");
  options.option(arguments.method_samples, "--method-samples", "Calibration samples that methods look at; 0: all");
}

}  // namespace

Verb quantize_verb() {
  return {"quantize", "Quantize a float model after training, as standard QDQ ONNX",
          "  adze quantize model.onnx -o model-int8.onnx --calibration cifar10/train --samples 256\n"
          "  adze quantize model.onnx -o q.onnx --calibration pictures/ --calibrator entropy --weights per-tensor\n"
          "  adze quantize model.onnx -o q.onnx --preset w4a8 --calibration pictures/\n"
          "  adze quantize model.onnx -o q.onnx --max-drop 1% --calibration cifar10/train\n"
          "  adze quantize model.onnx -o q.onnx --calibration pictures/ --skip 'head*' --skip Softmax\n",
          [](Options& options) -> Action {
            auto arguments = std::make_shared<Arguments>();
            options.positional(arguments->input, "MODEL", "Float model: ONNX, TFLite or .adze text");
            options.option(arguments->output, "-o,--output", "File to write", Options::Need::Required);
            arguments->data.declare(options, "-c,--calibration",
                                    "Data to learn the ranges of activations from (static)", Options::Need::Optional);
            options.option(arguments->samples, "--samples", "Calibration samples, chosen with the seed");
            options.choice(arguments->mode, "--mode", "What is quantized and when",
                           {"static", "dynamic", "weight-only", "float8", "none"});
            options.option(
                arguments->weights, "--weights",
                "Weights that share a scale: per-channel, per-tensor, or per-group=4 for groups of 4 channels");
            options.choice(arguments->activations, "--activations", "Zero points of activations",
                           {"asymmetric", "symmetric"});
            options.choice(arguments->dtype, "--dtype", "Type of activations", {"s8", "u8"});
            options.choice(arguments->calibrator, "--calibrator", "How ranges are chosen",
                           {"max", "percentile", "entropy", "mse", "moving-average", "aciq"});
            options.option(arguments->percentile, "--percentile", "Share of values kept on each side, in percent");
            options.choice(arguments->final_activation, "--final-activation",
                           "How a last Softmax or Sigmoid is computed", {"float", "integer"});
            options.option(arguments->bits, "--bits",
                           "Bits of weights and activations, such as w4a8; w8a8, with --max-drop w2a8");
            options.option(arguments->end_bits, "--end-bits", "At least so many for the first and the last layer");
            options.option(arguments->layer_bits, "--layer-bits", "PATTERN=w4a8 for single layers (may be repeated)");
            options.option(arguments->skip, "--skip",
                           "Leave nodes in float: name with * and ?, or operator (may be repeated)");
            declare_methods(options, *arguments);
            arguments->mixed.declare(options);
            options.flag(arguments->first_layer_float, "--first-layer-float", "Leave the first layer in float");
            options.flag(arguments->last_layer_float, "--last-layer-float", "Leave the last layer in float");
            options.flag(arguments->no_slim, "--no-slim", "Do not rewrite the model first");
            options.option(arguments->report, "--report", "HTML page: layers, histograms, errors, sensitivity");
            options.option(arguments->emit_recipe, "--emit-recipe", "Also write the recipe that was run");
            return [arguments](Console& console) { return run_quantize(console, *arguments); };
          }};
}

}  // namespace adze::cli
