#include "adze/evaluate/evaluate.h"
#include "adze/evaluate/perplexity.h"

#include <nlohmann/json.hpp>

#include "adze/base/text.h"
#include "adze/recipe/model_files.h"
#include "adze/recipe/runner.h"
#include "cli/data_options.h"
#include "cli/verb.h"

namespace adze::cli {

namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
  std::string model;
  DataOptions data;
  std::string executor = "engine", compute = "f32";
  bool per_class = false;
  bool confusion = false;
};

Json result_json(const EvaluateResult& result) {
  Json json = {{"top1", result.top1},
               {"top5", result.top5},
               {"correct", result.correct},
               {"samples", result.samples},
               {"interval", {result.interval.low, result.interval.high}},
               {"macro_f1", result.macro_f1},
               {"calibration_error", result.calibration_error},
               {"seconds", result.seconds},
               {"skipped", result.skipped.size()}};
  if (result.auc) json["auc"] = *result.auc;
  if (result.mse) json["mse"] = *result.mse;
  Json classes = Json::array();
  for (const ClassResult& one : result.classes) {
    classes.push_back({{"name", one.name},
                       {"samples", one.samples},
                       {"correct", one.correct},
                       {"accuracy", one.accuracy},
                       {"interval", {one.interval.low, one.interval.high}}});
  }
  json["classes"] = std::move(classes);
  Json confusion = Json::array();
  for (std::int64_t i = 0; i < result.confusion.classes(); ++i) {
    Json row = Json::array();
    for (std::int64_t k = 0; k < result.confusion.classes(); ++k) row.push_back(result.confusion.at(i, k));
    confusion.push_back(std::move(row));
  }
  json["confusion"] = std::move(confusion);
  return json;
}

void print_classes(Console& console, const EvaluateResult& result) {
  Table table({"class", "samples", "correct", "accuracy", "95 % interval"});
  for (const ClassResult& one : result.classes) {
    table.add_row({one.name, cat(one.samples), cat(one.correct), cat(fixed(100 * one.accuracy, 2), " %"),
                   cat(fixed(100 * one.interval.low, 2), " – ", fixed(100 * one.interval.high, 2))});
  }
  console.table(table);
}

void print_confusion(Console& console, const EvaluateResult& result) {
  std::vector<std::string> header = {"true \\ predicted"};
  for (const ClassResult& one : result.classes) header.push_back(one.name);
  Table table(header);
  for (std::size_t i = 0; i < result.classes.size(); ++i) {
    std::vector<std::string> row = {result.classes[i].name};
    for (std::size_t k = 0; k < result.classes.size(); ++k) {
      row.push_back(cat(result.confusion.at(static_cast<std::int64_t>(i), static_cast<std::int64_t>(k))));
    }
    table.add_row(std::move(row));
  }
  console.table(table);
}

void print_result(Console& console, const Arguments& arguments, const EvaluateResult& result) {
  if (result.task == Task::Classification) {
    console.line(cat("top-1    ", fixed(100 * result.top1, 2), " %   95 % interval ",
                     fixed(100 * result.interval.low, 2), " – ", fixed(100 * result.interval.high, 2), "   (",
                     result.correct, " of ", result.samples, ")"));
    if (result.confusion.classes() > 5) console.line(cat("top-5    ", fixed(100 * result.top5, 2), " %"));
    console.line(
        cat("macro F1 ", fixed(result.macro_f1, 4), "   calibration error ", fixed(result.calibration_error, 4)));
  }
  if (result.auc) console.line(cat("AUC      ", fixed(*result.auc, 4)));
  if (result.mse) console.line(cat("MSE      ", *result.mse, "   (", result.samples, " samples)"));
  console.line(cat("time     ", fixed(result.seconds, 2), " s"));
  if (arguments.per_class) print_classes(console, result);
  if (arguments.confusion) print_confusion(console, result);
}

ExitCode report_perplexity(Console& console, const Arguments& arguments, const PerplexityResult& result) {
  console.model("model", arguments.model);
  console.results() = {{"perplexity", result.perplexity},
                       {"perplexity_error", result.perplexity_error},
                       {"interval", {result.interval.low, result.interval.high}},
                       {"nll", result.nll},
                       {"standard_error", result.standard_error},
                       {"nll_interval", {result.nll_interval.low, result.nll_interval.high}},
                       {"bits_per_token", result.bits_per_token},
                       {"correct", result.correct},
                       {"tokens", result.tokens},
                       {"blocks", result.blocks},
                       {"seconds", result.seconds},
                       {"skipped", result.skipped.size()}};
  console.line(cat("perplexity  ", fixed(result.perplexity, 3), " ± ", fixed(result.perplexity_error, 3),
                   "   95 % interval ", fixed(result.interval.low, 3), " – ", fixed(result.interval.high, 3)));
  console.line(cat("loss        ", fixed(result.nll, 4), " ± ", fixed(result.standard_error, 4), " nats, ",
                   fixed(result.bits_per_token, 4), " bits a token"));
  const double share = static_cast<double>(result.correct) / static_cast<double>(result.tokens);
  console.line(cat("next token  ", fixed(100 * share, 2), " % right first   (", result.tokens, " tokens; errors from ",
                   result.blocks, " blocks of text)"));
  console.line(cat("time        ", fixed(result.seconds, 2), " s"));
  remark_skipped(console, result.skipped);
  return ExitCode::Done;
}

ExitCode run_evaluate(Console& console, const Arguments& arguments) {
  const Graph graph = load_model(arguments.model);
  const auto dataset = open_data(graph, arguments.data.request());
  const auto runner = make_runner(graph, arguments.executor == "reference" ? Executor::Reference : Executor::Engine,
                                  compute_from_name(arguments.compute));
  if (is_language_data(*dataset)) {
    const EvaluateOptions options = arguments.data.evaluate_options(graph, console.options);
    return report_perplexity(console, arguments, evaluate_perplexity(runner, *dataset, options, console.progress()));
  }
  const EvaluateResult result =
      evaluate(runner, *dataset, arguments.data.evaluate_options(graph, console.options), console.progress());
  console.model("model", arguments.model);
  console.results() = result_json(result);
  print_result(console, arguments, result);
  remark_skipped(console, result.skipped);
  return ExitCode::Done;
}

}  // namespace

Verb evaluate_verb() {
  return {"evaluate", "Measure a model's accuracy on labelled data, or its perplexity on text",
          "  adze evaluate model.onnx --data cifar10/test\n"
          "  adze evaluate model.onnx --data pictures.tar.zst:test --per-class --confusion\n"
          "  adze evaluate model.onnx --data mnist/ --split test --samples 1000 --seed 3\n"
          "  adze evaluate digits.onnx --data fsdd --split test\n"
          "  adze evaluate gpt.onnx --data shakespeare.txt --split test      perplexity with its error\n"
          "  adze evaluate examples/demo/demo.onnx --data demo:test\n",
          [](Options& options) -> Action {
            auto arguments = std::make_shared<Arguments>();
            options.positional(arguments->model, "MODEL", "Model file: ONNX, TFLite or .adze text");
            arguments->data.declare(options, "-d,--data",
                                    "Folder or archive of pictures or sounds by class, CIFAR, IDX, NPY/NPZ, CSV, text",
                                    Options::Need::Required);
            options.option(arguments->data.samples, "--samples", "Use so many samples, chosen with the seed; 0 = all");
            options.option(arguments->data.batch, "--batch", "Samples in one run, where the model allows it");
            options.choice(arguments->executor, "--executor", "What runs it", {"engine", "reference"});
            options.choice(arguments->compute, "--compute",
                           "Numbers that the engine's float convolutions and matrix products multiply",
                           {"f32", "bf16"});
            options.flag(arguments->per_class, "--per-class", "Show the accuracy of each class");
            options.flag(arguments->confusion, "--confusion", "Show the confusion matrix");
            return [arguments](Console& console) { return run_evaluate(console, *arguments); };
          }};
}

}  // namespace adze::cli
