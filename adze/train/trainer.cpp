#include "adze/train/trainer.h"

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "adze/base/files.h"
#include "adze/base/text.h"
#include "adze/data/batches.h"
#include "adze/train/checkpoint.h"
#include "adze/train/epoch_loader.h"
#include "adze/train/job.h"
#include "adze/train/parameters.h"

namespace adze::train {

namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Root mean square of the first samples' inputs.
double input_size(const Dataset& training) {
  double sum = 0;
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < std::min<std::int64_t>(training.size(), 64); ++i) {
    const auto sample = training.try_get(i);
    if (!sample || sample->input.dtype() != DType::F32) continue;
    for (const float value : sample->input.data<float>()) sum += static_cast<double>(value) * value;
    count += sample->input.size();
  }
  return count > 0 ? std::sqrt(sum / static_cast<double>(count)) : 1.0;
}

/// Networks that read pixels of 0 to 255 have a first layer of weights as small as its inputs are large: a step that
/// suits the other layers destroys it. Its rate is what it would be with inputs of size 1: by the square for sgd, whose
/// steps grow with the gradient, once for Adam.
TrainOptions balanced(const Graph& graph, TrainOptions options, const Dataset& training, ProgressSink& progress) {
  constexpr double usual = 4;
  const double size = input_size(training);
  if (!(size > usual) || !std::isfinite(size)) return options;
  const double factor = options.learner.optimizer.kind == OptimizerKind::Sgd ? 1 / (size * size) : 1 / size;
  for (const std::string& name : input_weights(graph)) {
    if (options.learner.rate_factors.emplace(name, factor).second) {
      progress.note(cat("inputs have size ", fixed(size, 1), ": the rate of ", name, " is multiplied by ", factor));
    }
  }
  return options;
}

class Trainer {
 public:
  Trainer(const Graph& graph, std::shared_ptr<const Dataset> training, std::shared_ptr<const Dataset> validation,
          const TrainOptions& given, ProgressSink& progress, const StepHook& hook)
      : progress_(progress),
        hook_(hook),
        training_(cached(std::move(training), given.cache_bytes)),
        validation_(validation ? cached(std::move(validation), given.cache_bytes / 4) : nullptr),
        job_(job_of(graph, training_->size(), given)),
        options_(balanced(with_open_batch(graph), given, *training_, progress)),
        learner_(plugin().make_learner(with_open_batch(graph), options_.learner)) {
    const TrainOptions& options = options_;
    for (std::int64_t i = 0; i < training_->size(); ++i) samples_.push_back(i);
    steps_per_epoch_ = EpochLoader::batches(training_->size(), options.batch_size);
    if (steps_per_epoch_ == 0) throw ModelError("there is no training data", {training_->description(), "", ""});
  }

  TrainResult run() {
    const auto start = Clock::now();
    if (options_.resume) resume();
    const ProgressPhase phase(progress_, "training", (options_.epochs - epoch_) * steps_per_epoch_, "steps");
    while (epoch_ < options_.epochs && !result_.stopped_early) run_epoch();
    if (options_.keep_best && validation_ && !best_.empty()) learner_->restore(best_);
    result_.graph = learner_->graph();
    result_.seconds = seconds_since(start);
    result_.skipped = training_->bad_samples();
    return std::move(result_);
  }

 private:
  /// Of several processes the first one writes files.
  bool is_first() const { return options_.learner.workers.rank == 0; }
  std::int64_t total_steps() const { return options_.epochs * steps_per_epoch_; }

  void run_epoch() {
    const auto start = Clock::now();
    EpochLoaderOptions loading;
    loading.batch_size = options_.batch_size;
    loading.seed = options_.seed;
    loading.augment = options_.augment;
    loading.rank = options_.learner.workers.rank;
    loading.workers = options_.learner.workers.count;
    EpochLoader loader(*training_, epoch_order(samples_, options_.seed, epoch_), epoch_, step_, loading);
    const std::int64_t first = step_;
    double rate = 0;
    while (std::optional<LearnBatch> batch = loader.next()) {
      if (cancel_flag()) interrupt();
      rate = take_step(*batch);
      ++step_;
      show_progress(start, first);
      if (seconds_since(saved_) > options_.checkpoint_seconds) save();
    }
    EpochResult epoch;
    epoch.epoch = epoch_ + 1;
    epoch.loss = sums_.loss / static_cast<double>(std::max<std::int64_t>(sums_.steps, 1));
    epoch.accuracy = sums_.counted > 0 ? static_cast<double>(sums_.correct) / static_cast<double>(sums_.counted) : 0;
    epoch.learning_rate = rate;
    epoch.seconds = sums_.seconds + seconds_since(start);
    epoch.samples_per_second =
        static_cast<double>(steps_per_epoch_ * std::min(options_.batch_size, training_->size())) / epoch.seconds;
    finish_epoch(epoch);
  }

  double take_step(const LearnBatch& batch) {
    const std::int64_t step = epoch_ * steps_per_epoch_ + step_;
    const double progress = static_cast<double>(step + 1) / static_cast<double>(steps_per_epoch_);
    const double rate = learning_rate_at(options_.schedule, progress, static_cast<double>(options_.epochs));
    if (hook_) hook_(*learner_, step, total_steps());
    if (batch.inputs.empty()) return rate;
    const StepResult result = learner_->step(batch, rate, options_.seed * 1000003 + static_cast<std::uint64_t>(step));
    ++result_.steps;
    if (result.skipped) return rate;
    sums_.loss += result.loss;
    sums_.correct += result.correct;
    sums_.counted += result.counted;
    ++sums_.steps;
    return rate;
  }

  void show_progress(Clock::time_point start, std::int64_t first) {
    const double rate = static_cast<double>((step_ - first) * options_.batch_size) / seconds_since(start);
    std::string text = cat("epoch ", epoch_ + 1, "/", options_.epochs, " loss ",
                           fixed(sums_.loss / static_cast<double>(std::max<std::int64_t>(sums_.steps, 1)), 3));
    if (sums_.counted > 0) {
      text +=
          cat(" acc ", fixed(100.0 * static_cast<double>(sums_.correct) / static_cast<double>(sums_.counted), 1), " %");
    }
    if (!result_.epochs.empty() && validation_) {
      text += cat(" val ", fixed(100 * result_.epochs.back().validation_accuracy, 1), " %");
    }
    progress_.advance(1, cat(text, " ", static_cast<std::int64_t>(rate), " samples/s"));
  }

  void finish_epoch(EpochResult epoch) {
    if (validation_) {
      const ValidationResult found = validate(*learner_, *validation_, options_.batch_size);
      epoch.validation_loss = found.loss;
      epoch.validation_accuracy = found.accuracy;
    }
    result_.epochs.push_back(epoch);
    ++epoch_;
    step_ = 0;
    sums_ = {};
    note_best(epoch);
    write_log();
    save();
  }

  void note_best(const EpochResult& epoch) {
    if (!validation_) return;
    const auto better = [&] {
      if (result_.best_epoch == 0) return true;
      const EpochResult& best = result_.epochs[static_cast<std::size_t>(result_.best_epoch - 1)];
      if (epoch.validation_accuracy != best.validation_accuracy) {
        return epoch.validation_accuracy > best.validation_accuracy;
      }
      return epoch.validation_loss < best.validation_loss;
    };
    if (better()) {
      result_.best_epoch = epoch.epoch;
      if (options_.keep_best) best_ = learner_->state();
    }
    const bool patient = options_.patience == 0 || epoch.epoch - result_.best_epoch < options_.patience;
    result_.stopped_early = !patient;
  }

  void write_log() const {
    if (options_.log.empty() || !is_first()) return;
    std::string text;
    for (const EpochResult& epoch : result_.epochs) text += epoch_text(epoch) + "\n";
    write_file(options_.log, text);
  }

  Json status() const {
    Json epochs = Json::array();
    for (const EpochResult& epoch : result_.epochs) epochs.push_back(Json::parse(epoch_text(epoch)));
    return {{"epoch", epoch_},
            {"step", step_},
            {"steps", result_.steps},
            {"best_epoch", result_.best_epoch},
            {"stopped_early", result_.stopped_early},
            {"loss", sums_.loss},
            {"correct", sums_.correct},
            {"counted", sums_.counted},
            {"counted_steps", sums_.steps},
            {"epochs", std::move(epochs)}};
  }

  void save() {
    saved_ = Clock::now();
    if (options_.checkpoint.empty() || !is_first()) return;
    Checkpoint checkpoint{job_, status().dump(), {}};
    for (auto& [name, tensor] : learner_->state()) checkpoint.tensors["now/" + name] = tensor;
    for (const auto& [name, tensor] : best_) checkpoint.tensors["best/" + name] = tensor;
    write_checkpoint(checkpoint, options_.checkpoint);
  }

  void resume() {
    std::error_code error;
    if (options_.checkpoint.empty()) throw UsageError("--resume needs a --checkpoint");
    if (!std::filesystem::exists(options_.checkpoint, error)) {
      progress_.note(cat("no checkpoint ", options_.checkpoint.string(), " yet: starting from the beginning"));
      return;
    }
    const Checkpoint checkpoint = read_checkpoint(options_.checkpoint);
    check_job(job_, checkpoint.job, options_.checkpoint);
    State now;
    for (const auto& [name, tensor] : checkpoint.tensors) {
      if (name.starts_with("now/")) now[name.substr(4)] = tensor;
      if (name.starts_with("best/")) best_[name.substr(5)] = tensor;
    }
    learner_->restore(now);
    const Json status = Json::parse(checkpoint.status);
    epoch_ = status.at("epoch").get<std::int64_t>();
    step_ = status.at("step").get<std::int64_t>();
    result_.steps = status.at("steps").get<std::int64_t>();
    result_.best_epoch = status.at("best_epoch").get<std::int64_t>();
    result_.stopped_early = status.at("stopped_early").get<bool>();
    sums_.loss = status.at("loss").get<double>();
    sums_.correct = status.at("correct").get<std::int64_t>();
    sums_.counted = status.at("counted").get<std::int64_t>();
    sums_.steps = status.at("counted_steps").get<std::int64_t>();
    for (const Json& epoch : status.at("epochs")) result_.epochs.push_back(epoch_from(epoch.dump()));
    progress_.note(cat("resumed at epoch ", epoch_ + 1, ", step ", step_));
  }

  [[noreturn]] void interrupt() {
    save();
    throw Interrupted(options_.checkpoint.empty()
                          ? "interrupted; no --checkpoint was given, so the training is lost"
                          : cat("interrupted at epoch ", epoch_ + 1, "; ", options_.checkpoint.string(),
                                " is written: the same command with --resume goes on"));
  }

  struct Sums {
    double loss = 0;
    std::int64_t correct = 0, counted = 0, steps = 0;
    double seconds = 0;
  };

  ProgressSink& progress_;
  const StepHook& hook_;
  std::shared_ptr<const Dataset> training_, validation_;
  std::string job_;
  TrainOptions options_;
  std::unique_ptr<Learner> learner_;
  std::vector<std::int64_t> samples_;
  std::int64_t steps_per_epoch_ = 0;
  std::int64_t epoch_ = 0, step_ = 0;
  Sums sums_;
  State best_;
  TrainResult result_;
  Clock::time_point saved_ = Clock::now();
};

}  // namespace

ValidationResult validate(Learner& learner, const Dataset& dataset, std::int64_t batch_size) {
  BatchOptions batching;
  batching.batch_size = batch_size;
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; i < dataset.size(); ++i) all.push_back(i);
  BatchLoader loader(dataset, std::move(all), batching);
  double loss = 0;
  std::int64_t correct = 0, counted = 0, samples = 0;
  while (const std::optional<Batch> batch = loader.next()) {
    const StepResult found = learner.measure(learn_batch(*batch));
    loss += found.task_loss * static_cast<double>(batch->size());
    samples += batch->size();
    correct += found.correct;
    counted += found.counted;
  }
  ValidationResult result;
  result.loss = samples > 0 ? loss / static_cast<double>(samples) : 0;
  result.accuracy = counted > 0 ? static_cast<double>(correct) / static_cast<double>(counted) : 0;
  return result;
}

TrainResult train(const Graph& graph, std::shared_ptr<const Dataset> training,
                  std::shared_ptr<const Dataset> validation, const TrainOptions& options, ProgressSink& progress,
                  const StepHook& hook) {
  check_options(options.learner);
  check_schedule(options.schedule, static_cast<double>(options.epochs));
  if (options.epochs < 1) throw UsageError(cat("the number of epochs is ", options.epochs));
  if (options.batch_size % options.learner.workers.count != 0) {
    throw UsageError(cat("a batch of ", options.batch_size, " cannot be divided among ", options.learner.workers.count,
                         " processes"));
  }
  if (options.batch_size < 1) throw UsageError(cat("the batch size is ", options.batch_size));
  return Trainer(graph, std::move(training), std::move(validation), options, progress, hook).run();
}

}  // namespace adze::train
