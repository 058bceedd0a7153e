#pragma once

#include <memory>
#include <string>
#include <vector>

#include "adze/train/trainer.h"
#include "cli/console.h"
#include "cli/data_options.h"
#include "cli/options.h"

namespace adze::cli {

/// The options that verbs which train share.
struct TrainingOptions {
  DataOptions data;
  double validation = 0.1;
  std::int64_t epochs = 10, batch = 128, patience = 0;
  std::string optimizer = "auto", schedule = "cosine", precision = "f32", loss = "auto", device = "cpu", augment;
  double learning_rate = 0, momentum = 0.9, weight_decay = 5e-4, final_rate = 0, warmup = 0, gamma = 0.1;
  std::vector<std::string> milestones;
  bool nesterov = false, keep_zeros = false, last = false, resume = false;
  double label_smoothing = 0, clip_norm = 0, ema = 0, checkpoint_minutes = 5;
  std::vector<std::string> freeze;
  std::string checkpoint, log, report;
  // Teachers.
  std::vector<std::string> teachers, features, attention, blocks;
  double temperature = 4, teacher_weight = 1, task_weight = 1;

  void declare(Options& options);
  void declare_teachers(Options& options, Options::Need need);
  /// What the trainer is told. fresh: the weights are random. optimizer auto and learning_rate 0 become what suits
  /// that.
  train::TrainOptions trainer_options(const CommonOptions& common, bool fresh) const;
};

/// The data of a training run: a part that is learned from and a part that epochs are judged on; never a test split.
struct TrainingData {
  std::shared_ptr<const Dataset> training, validation;
};
/// Takes the "train" split where the data has splits. Throws UsageError when too little is left.
TrainingData open_training_data(const Graph& graph, const TrainingOptions& options, std::uint64_t seed);

/// RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT, as torchrun, Slurm and Kubernetes set them.
train::WorkerOptions workers_from_environment();

/// Loads the teachers and sets the terms that they are listened to by.
train::DistillOptions distill_options(const TrainingOptions& options);

/// One row an epoch, and the JSON of them; the report file when one is asked for.
void show_training(Console& console, const train::TrainResult& result, const TrainingOptions& options,
                   const std::string& title);

}  // namespace adze::cli
