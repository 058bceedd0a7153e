#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "adze/base/text.h"
#include "adze/evaluate/compare.h"
#include "adze/quantize/qat.h"
#include "adze/recipe/model_files.h"
#include "cli/model_zeros.h"
#include "cli/training_options.h"
#include "cli/verb.h"

namespace adze::cli {

namespace {

struct Arguments {
  std::string model, architecture, output;
  TrainStep step;
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
  TrainingOptions& training = arguments.training;
  training.prepare_files(console, arguments.output);
  arguments.step.fresh = !arguments.architecture.empty();
  const TrainStepOutcome outcome = run_training(console, starting_network(arguments), arguments.step, training);
  const train::TrainResult& result = outcome.result;
  if (workers_from_environment().rank > 0) return ExitCode::Done;  // the first process writes
  save_model(outcome.graph, arguments.output);
  console.model("output", arguments.output);
  show_training(console, result, training, cat("Training ", arguments.output));
  console.line("");
  if (outcome.quantized && outcome.data.validation) {
    show_quantization(console, result, outcome.graph, *outcome.data.validation);
  }
  if (result.stopped_early) console.line(cat("stopped: no better epoch for ", training.patience));
  console.line(cat(arguments.output, " written: epoch ", result.best_epoch > 0 ? result.best_epoch : training.epochs,
                   ", ", fixed(result.seconds, 1), " s"));
  show_zeros(console, outcome.graph);
  console.line(cat("next: adze evaluate ", arguments.output, " --data … --split test"));
  remark_skipped(console, result.skipped);
  return ExitCode::Done;
}

}  // namespace

Verb train_verb() {
  return {
      "train", "Train or fine-tune a network; resumable",
      "  adze train --arch resnet8 --data cifar10 --epochs 30 --augment \"crop=4 flip\" -o resnet8.onnx\n"
      "  adze train pruned.onnx --data cifar10 --epochs 5 --lr 0.01 --keep-zeros -o tuned.onnx\n"
      "  adze train --arch dscnn,classes=10 --data digits --optimizer adamw -o digits.onnx\n"
      "  adze train model.onnx --quantize w4a4 --data cifar10 --epochs 10 -o model-w4a4.onnx\n"
      "  adze train small.onnx --teacher large.onnx --data cifar10 -o taught.onnx\n"
      "  adze train … -o model.onnx --resume        (goes on after Ctrl-C or a crash)\n",
      [](Options& options) -> Action {
        auto arguments = std::make_shared<Arguments>();
        options.positional(arguments->model, "MODEL", "Model to go on from, in float or statically quantized",
                           Options::Need::Optional);
        options.option(arguments->architecture, "-a,--arch",
                       "Network of the zoo with fresh weights: NAME,width=0.5,classes=10 …");
        options.option(arguments->output, "-o,--output", "File to write", Options::Need::Required);
        options.option(arguments->step.bits, "--quantize",
                       "Train for quantized deployment, with such bits: int8, w4a4, w2a8 (ternary), w1a8 (binary) …");
        options.choice(arguments->step.scales, "--scales", "How quantization scales move",
                       {"learned", "moving_average", "fixed"});
        options.option(arguments->step.end_bits, "--end-bits", "At least so many for the first and the last layer");
        options.option(arguments->step.layer_bits, "--layer-bits", "PATTERN=w4a8 for single layers (may be repeated)");
        options.option(arguments->step.calibration_samples, "--calibration-samples", "For the scales at the start");
        options.flag(arguments->step.unfold_batch_norm, "--unfold-batch-norm",
                     "Normalize again behind convolutions into which batch norms were folded");
        arguments->training.declare(options);
        arguments->training.declare_teachers(options, Options::Need::Optional);
        return [arguments](Console& console) { return run_train(console, *arguments); };
      }};
}

}  // namespace adze::cli
