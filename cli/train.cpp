#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "adze/base/text.h"
#include "adze/data/feature_statistics.h"
#include "adze/data/preprocessing.h"
#include "adze/evaluate/compare.h"
#include "adze/quantize/ptq.h"
#include "adze/quantize/qat.h"
#include "adze/recipe/model_files.h"
#include "adze/recipe/runner.h"
#include "adze/recipe/slim.h"
#include "adze/train/batch_norm.h"
#include "cli/training_options.h"
#include "cli/verb.h"

namespace adze::cli {

namespace {

struct Arguments {
  std::string model, architecture, output;
  std::string bits, scales = "learned";
  std::int64_t calibration_samples = 256, end_bits = 8;
  std::vector<std::string> layer_bits;
  bool unfold_batch_norm = false;
  TrainingOptions training;
};

/// The network to start from: a file, or one of the zoo with fresh weights and batch norms.
Graph starting_network(const Arguments& arguments) {
  if (arguments.model.empty() == arguments.architecture.empty()) {
    throw UsageError("say what to train: a MODEL file, or --arch with a network of the zoo",
                     "adze train --arch resnet8,classes=10 --data cifar10 -o resnet8.onnx");
  }
  if (!arguments.model.empty()) return load_model(arguments.model);
  const std::string description = arguments.architecture.find("batch_norm") == std::string::npos
                                      ? cat(arguments.architecture, ",batch_norm")
                                      : arguments.architecture;
  return load_model(cat("zoo:", description));
}

/// What becomes of pixels goes into the model, so that whoever runs it does the same: what --preprocess says, or, for a
/// fresh network of pictures, numbers about 0 with a spread of about 1.
void record_preprocessing(Graph& graph, const Arguments& arguments) {
  const auto& shape = graph.value(graph.inputs().at(0)).type.shape;
  const bool pictures = shape && shape->size() == 4 && (*shape)[1].value == 3;
  std::string flags = arguments.training.data.preprocessing;
  if (flags.empty() && !arguments.architecture.empty() && pictures) flags = "scale=1/255 mean=0.5 std=0.25";
  if (flags.empty()) return;
  graph.metadata["adze.preprocessing"] = preprocessing_json(parse_preprocessing_flags(flags, preprocessing_of(graph)));
}

/// For a fresh network on sound: features of mean 0 and spread 1 in each column, as measured. Did it change anything?
bool standardize_sound(Graph& graph, const Dataset& dataset, std::int64_t seed) {
  constexpr std::int64_t samples = 500;
  const auto measured = measured_preprocessing(dataset, samples, static_cast<std::uint64_t>(seed));
  if (measured) graph.metadata["adze.preprocessing"] = *measured;
  return measured.has_value();
}

/// The network quantized by calibration and brought into the form in which quantization is trained.
Graph quantization_aware(const Graph& graph, const Arguments& arguments, const TrainingData& data, Console& console) {
  quantize::PtqOptions options;
  options.bits = quantize::parse_bit_widths(arguments.bits);
  options.end_bits = static_cast<int>(arguments.end_bits);
  options.layer_bits = quantize::parse_layer_bits(arguments.layer_bits);
  options.keep_code_windows = true;
  options.seed = static_cast<std::uint64_t>(console.options.seed);
  SlimOptions slimming;
  slimming.verify = false;
  const Graph plain = quantize::prepared(slim(graph, slimming, console.progress()).graph);
  const auto indices = sample_indices(*data.training, arguments.calibration_samples, options.seed);
  const auto outcome =
      quantize::quantize(plain, calibration_data(plain, data.training, indices), options, console.progress());
  return quantize::qat_training_form(outcome.graph, plain, quantize::qat_scales_from_name(arguments.scales));
}

/// Calibration samples, one batch after the other.
train::BatchSource batch_source(const Graph& graph, const Arguments& arguments, const TrainingData& data,
                                std::uint64_t seed) {
  const auto indices = sample_indices(*data.training, arguments.calibration_samples, seed);
  auto batches = std::make_shared<quantize::CalibrationData>(calibration_data(graph, data.training, indices));
  auto next = std::make_shared<std::int64_t>(0);
  return [batches, next]() -> std::optional<std::vector<Tensor>> {
    if (*next == batches->num_batches) return std::nullopt;
    return batches->batch((*next)++);
  };
}

/// Is what was simulated what the engine computes, and which layers does quantization hurt most?
void show_quantization(Console& console, const train::TrainResult& trained, const Graph& deployed,
                       const Dataset& validation) {
  EvaluateOptions options;
  options.batch_size = batch_size_for(deployed, 32);
  const EvaluateResult integer = evaluate(make_runner(deployed), validation, options, console.progress());
  const auto best = static_cast<std::size_t>(std::max<std::int64_t>(trained.best_epoch, 1) - 1);
  const double simulated = trained.epochs.at(best).validation_accuracy;
  if (integer.task == Task::Classification) {
    console.line(cat("validation: ", fixed(100 * simulated, 2), " % simulated, ", fixed(100 * integer.top1, 2),
                     " % in the integer engine"));
    console.results()["simulated_accuracy"] = simulated;
    console.results()["integer_accuracy"] = integer.top1;
  }
  CompareOptions comparing;
  comparing.evaluate = options;
  const std::vector<LayerError> layers =
      compare_layers(make_observed_runner(quantize::qat_float_form(trained.graph)), make_observed_runner(deployed),
                     validation, validation, comparing, console.progress());
  std::vector<const LayerError*> worst;
  auto& json = console.results()["layers"];
  for (const LayerError& layer : layers) {
    json.push_back({{"name", layer.name}, {"sqnr_db", std::isfinite(layer.sqnr_db) ? layer.sqnr_db : 200.0}});
    worst.push_back(&layer);
  }
  std::stable_sort(worst.begin(), worst.end(), [](const auto* a, const auto* b) { return a->sqnr_db < b->sqnr_db; });
  worst.resize(std::min<std::size_t>(worst.size(), 8));
  Table table({"value", "SQNR dB"}, "What quantization costs the trained weights: the worst values");
  for (const LayerError* layer : worst) {
    table.add_row({layer->name, std::isfinite(layer->sqnr_db) ? fixed(layer->sqnr_db, 1) : "-"});
  }
  console.table(table);
}

ExitCode run_train(Console& console, Arguments arguments) {
  console.check_output(arguments.output);
  TrainingOptions& training = arguments.training;
  if (!training.report.empty()) console.check_output(training.report);
  if (training.checkpoint.empty()) training.checkpoint = arguments.output + ".checkpoint";
  Graph graph = starting_network(arguments);
  record_preprocessing(graph, arguments);
  TrainingData data = open_training_data(graph, training, static_cast<std::uint64_t>(console.options.seed));
  if (!arguments.architecture.empty() && standardize_sound(graph, *data.training, console.options.seed)) {
    data = open_training_data(graph, training, static_cast<std::uint64_t>(console.options.seed));
  }
  // Features of sound, the vocabulary of text: whoever runs the model has to know them.
  for (const auto& [key, value] : data.training->metadata()) graph.metadata.try_emplace(key, value);
  const bool aware = !arguments.bits.empty();
  train::TrainOptions options = training.trainer_options(console.options, !arguments.architecture.empty());
  options.learner.distill = distill_options(training);
  if (arguments.unfold_batch_norm) {
    if (aware) throw UsageError("--unfold-batch-norm and --quantize exclude each other: deployment folds batch norms");
    graph = train::unfold_batch_norms(graph, batch_source(graph, arguments, data, options.seed));
  }
  if (aware) graph = quantization_aware(graph, arguments, data, console);
  console.line(cat("training on ", data.training->size(), " samples, judged on ",
                   data.validation ? data.validation->size() : 0, "; ", options.learner.threads, " threads, seed ",
                   console.options.seed, "; ", train::plugin().description()));
  train::TrainResult result = train::train(graph, data.training, data.validation, options, console.progress());
  if (options.learner.workers.rank > 0) return ExitCode::Done;  // the first process writes
  const Graph deployed = aware ? quantize::qat_deployment_form(result.graph) : result.graph;
  save_model(deployed, arguments.output);
  console.model("output", arguments.output);
  show_training(console, result, training, cat("Training ", arguments.output));
  console.line("");
  if (aware && data.validation) show_quantization(console, result, deployed, *data.validation);
  if (result.stopped_early) console.line(cat("stopped: no better epoch for ", options.patience));
  console.line(cat(arguments.output, " written: epoch ", result.best_epoch > 0 ? result.best_epoch : options.epochs,
                   ", ", fixed(result.seconds, 1), " s"));
  console.line(cat("next: adze evaluate ", arguments.output, " --data … --split test"));
  remark_skipped(console, result.skipped);
  return ExitCode::Done;
}

}  // namespace

Verb train_verb() {
  return {"train", "Train or fine-tune a network; resumable",
          "  adze train --arch resnet8 --data cifar10 --epochs 30 --augment \"crop=4 flip\" -o resnet8.onnx\n"
          "  adze train pruned.onnx --data cifar10 --epochs 5 --lr 0.01 --keep-zeros -o tuned.onnx\n"
          "  adze train --arch dscnn,classes=10 --data digits --optimizer adamw -o digits.onnx\n"
          "  adze train model.onnx --quantize w4a4 --data cifar10 --epochs 10 -o model-w4a4.onnx\n"
          "  adze train small.onnx --teacher large.onnx --data cifar10 -o taught.onnx\n"
          "  adze train … -o model.onnx --resume        (goes on after Ctrl-C or a crash)\n",
          [](Options& options) -> Action {
            auto arguments = std::make_shared<Arguments>();
            options.positional(arguments->model, "MODEL", "Float model to go on from: ONNX, TFLite or .adze text",
                               Options::Need::Optional);
            options.option(arguments->architecture, "-a,--arch",
                           "Network of the zoo with fresh weights: NAME,width=0.5,classes=10 …");
            options.option(arguments->output, "-o,--output", "File to write", Options::Need::Required);
            options.option(arguments->bits, "--quantize",
                           "Train for quantized deployment, with such bits: int8, w4a8, w4a4 …");
            options.choice(arguments->scales, "--scales", "How quantization scales move",
                           {"learned", "moving_average", "fixed"});
            options.option(arguments->end_bits, "--end-bits", "At least so many for the first and the last layer");
            options.option(arguments->layer_bits, "--layer-bits", "PATTERN=w4a8 for single layers (may be repeated)");
            options.option(arguments->calibration_samples, "--calibration-samples", "For the scales at the start");
            options.flag(arguments->unfold_batch_norm, "--unfold-batch-norm",
                         "Normalize again behind convolutions into which batch norms were folded");
            arguments->training.declare(options);
            arguments->training.declare_teachers(options, Options::Need::Optional);
            return [arguments](Console& console) { return run_train(console, *arguments); };
          }};
}

}  // namespace adze::cli
