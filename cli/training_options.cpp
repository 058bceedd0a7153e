#include "cli/training_options.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "adze/base/files.h"
#include "adze/base/text.h"
#include "adze/base/threads.h"
#include "adze/data/subset.h"
#include "adze/recipe/model_files.h"
#include "adze/recipe/recipe.h"
#include "adze/report/report.h"
#include "adze/train/parameters.h"
#include "cli/verb.h"

namespace adze::cli {

using Json = nlohmann::ordered_json;

void TrainingOptions::declare(Options& options) {
  data.declare(options, "-d,--data", "Labelled data; its train split where it has one", Options::Need::Required);
  options.option(data.samples, "--samples", "Use so many training samples, chosen with the seed; 0: all");
  options.option(validation, "--validation", "Share of the training data that epochs are judged on");
  options.option(epochs, "--epochs", "Passes over the data");
  options.option(batch, "--batch", "Samples in one step");
  options.choice(optimizer, "--optimizer", "How weights move; auto: sgd for fresh weights, adamw for trained ones",
                 {"auto", "sgd", "adam", "adamw"});
  options.option(
      learning_rate, "--learning-rate,--lr",
      "Highest learning rate; 0: 0.1 for sgd and 0.001 for adam, a tenth and a half of that when fine-tuning");
  options.option(momentum, "--momentum", "Of sgd");
  options.flag(nesterov, "--nesterov", "Nesterov's momentum");
  options.option(weight_decay, "--weight-decay", "Not for biases, norms and quantization scales");
  options.choice(schedule, "--schedule", "How the learning rate moves", {"cosine", "step", "constant"});
  options.option(final_rate, "--final-rate", "Where the cosine ends");
  options.option(warmup, "--warmup", "Epochs in which the rate grows from 0");
  options.option(milestones, "--milestone", "Schedule step: epoch at which the rate falls (may be repeated)");
  options.option(gamma, "--gamma", "Schedule step: factor at each milestone");
  options.option(augment, "--augment",
                 "Variations: \"crop=4 flip cutout=8 mixup=0.2 noise=FOLDER time-shift=100 spec-augment=1x8,1x2 "
                 "jitter\" (docs/data.md)");
  options.choice(loss, "--loss", "What is minimized", {"auto", "cross-entropy", "mse"});
  options.option(label_smoothing, "--label-smoothing", "Share of the label given to all classes");
  options.option(gradient_bits, "--gradient-bits",
                 "Round the gradients that enter layers to so many bits, 2 to 8; 0: leave them (docs/training.md)");
  options.option(clip_norm, "--clip-norm", "Largest norm of all gradients together; 0: no limit");
  options.option(ema, "--ema", "Decay of the weights' average that is kept; 0: none");
  options.choice(precision, "--precision", "Format of products", {"f32", "bf16", "f16"});
  options.option(freeze, "--freeze", "Parameters or nodes that stay as they are, with * and ? (may be repeated)");
  options.flag(keep_zeros, "--keep-zeros", "Weights that are 0 stay 0; pruned models say so themselves");
  options.flag(keep_values, "--keep-values", "Equal weights of a tensor stay equal (clustered, or on a grid)");
  options.option(patience, "--patience", "Stop after so many epochs without a better one; 0: never");
  options.flag(last, "--last", "Write the last epoch instead of the best");
  options.option(checkpoint, "--checkpoint", "File to go on from; default: the output's name with .checkpoint");
  options.option(checkpoint_minutes, "--checkpoint-minutes", "Also written so often within an epoch");
  options.flag(resume, "--resume", "Go on from the checkpoint");
  options.option(log, "--log", "JSON lines, one an epoch");
  options.option(report, "--report", "HTML page with the curves");
  options.option(recipe, "--emit-recipe", "Also write the recipe that trains the same again (docs/training.md)");
  options.option(device, "--device", "cpu or cuda");
}

void TrainingOptions::declare_teachers(Options& options, Options::Need need) {
  if (need == Options::Need::Required) {
    options.option(teachers, "--teacher", "Model to learn from (may be repeated)");
  } else {
    options.option(teachers, "--teacher", "Model to learn from besides the labels (may be repeated)");
  }
  options.option(temperature, "--temperature", "Softens the outputs of teacher and student");
  options.option(teacher_weight, "--teacher-weight", "Of the teachers' outputs in the loss");
  options.option(task_weight, "--task-weight", "Of the labels in the loss; 0: teachers alone");
  options.option(features, "--feature",
                 "STUDENT=TEACHER[:WEIGHT]: inner values to match, through a learned projection");
  options.option(blocks, "--block",
                 "STUDENT=TEACHER[:WEIGHT]: ends of blocks that each learn the teacher's block alone, side by side");
  options.option(attention, "--attention", "STUDENT=TEACHER[:WEIGHT]: inner values whose attention maps are to match");
}

train::WorkerOptions workers_from_environment() {
  const auto number = [](const char* name, int fallback) {
    const char* text = std::getenv(name);
    if (text == nullptr) return fallback;
    char* end = nullptr;
    const long value = std::strtol(text, &end, 10);
    if (*text == 0 || *end != 0) throw UsageError(cat(name, " is ", adze::quoted(text), ", expected a number"));
    return static_cast<int>(value);
  };
  train::WorkerOptions workers;
  workers.count = number("WORLD_SIZE", 1);
  workers.rank = number("RANK", 0);
  workers.port = number("MASTER_PORT", 29500);
  if (const char* address = std::getenv("MASTER_ADDR")) workers.address = address;
  return workers;
}

train::TrainOptions TrainingOptions::trainer_options(const CommonOptions& common, bool fresh) const {
  const int threads = common.threads > 0 ? static_cast<int>(common.threads) : num_threads();
  train::TrainOptions result = adze::trainer_options(*this, fresh, static_cast<std::uint64_t>(common.seed), threads);
  result.checkpoint = checkpoint;
  result.checkpoint_seconds = checkpoint_minutes * 60;
  result.resume = resume;
  result.log = log;
  result.learner.device = device;
  result.learner.workers = workers_from_environment();
  return result;
}

TrainingData TrainingOptions::open_data(const Graph& graph, const CommonOptions& common) const {
  return open_training_data(graph, data.request(), data.samples, validation, static_cast<std::uint64_t>(common.seed));
}

void TrainingOptions::prepare_files(Console& console, const std::string& output) {
  for (const std::string& path : {output, report, recipe}) {
    if (!path.empty()) console.check_output(path);
  }
  if (checkpoint.empty()) checkpoint = output + ".checkpoint";
}

TrainStepOutcome run_training(Console& console, Graph graph, TrainStep step, const TrainingOptions& options) {
  step.data = options.data.request();
  step.samples = options.data.samples;
  step.settings = options;
  const train::TrainOptions told = options.trainer_options(console.options, step.fresh);
  if (!options.recipe.empty()) {
    Recipe recipe;
    recipe.seed = static_cast<std::uint64_t>(console.options.seed);
    recipe.steps.emplace_back(step);
    write_file(options.recipe, print_recipe(recipe));
  }
  return run_train_step(std::move(graph), step, told, console.progress(), [&](const TrainingData& data) {
    console.line(cat("training on ", data.training->size(), " samples, judged on ",
                     data.validation ? data.validation->size() : 0, "; ", told.learner.threads, " threads, seed ",
                     console.options.seed, "; ", train::plugin().description()));
  });
}

namespace {

void write_training_report(Console& console, const train::TrainResult& result, const TrainingOptions& options,
                           const std::string& title) {
  Report report;
  report.title = title;
  report.command = console.command_line();
  report.seed = static_cast<std::uint64_t>(console.options.seed);
  report.data = cat(options.data.path, ", training part");
  for (const train::EpochResult& one : result.epochs) {
    report.epochs.push_back({one.epoch, one.loss, one.accuracy, one.validation_loss, one.validation_accuracy,
                             one.learning_rate, one.samples_per_second, one.seconds, one.epoch == result.best_epoch});
  }
  write_file(options.report, report_html(report));
}

}  // namespace

void show_training(Console& console, const train::TrainResult& result, const TrainingOptions& options,
                   const std::string& title) {
  if (!options.report.empty()) write_training_report(console, result, options, title);
  Table table({"epoch", "loss", "accuracy", "val. loss", "val. accuracy", "rate", "samples/s", "time"});
  Json epochs = Json::array();
  const auto percent = [](double value) { return cat(fixed(100 * value, 2), " %"); };
  for (const train::EpochResult& one : result.epochs) {
    table.add_row({cat(one.epoch, one.epoch == result.best_epoch ? " *" : ""), fixed(one.loss, 4),
                   percent(one.accuracy), fixed(one.validation_loss, 4), percent(one.validation_accuracy),
                   fixed(one.learning_rate, 6), cat(static_cast<std::int64_t>(one.samples_per_second)),
                   cat(fixed(one.seconds, 1), " s")});
    epochs.push_back({{"epoch", one.epoch},
                      {"loss", one.loss},
                      {"accuracy", one.accuracy},
                      {"validation_loss", one.validation_loss},
                      {"validation_accuracy", one.validation_accuracy},
                      {"learning_rate", one.learning_rate},
                      {"samples_per_second", one.samples_per_second},
                      {"seconds", one.seconds}});
  }
  console.table(table);
  console.results()["epochs"] = std::move(epochs);
  console.results()["best_epoch"] = result.best_epoch;
  console.results()["seconds"] = result.seconds;
  console.results()["steps"] = result.steps;
}

}  // namespace adze::cli
