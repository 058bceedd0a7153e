#pragma once

#include <memory>
#include <string>
#include <vector>

#include "adze/recipe/train_step.h"
#include "adze/train/trainer.h"
#include "cli/console.h"
#include "cli/data_options.h"
#include "cli/options.h"

namespace adze::cli {

/// The options that verbs which train share.
struct TrainingOptions : TrainingSettings {
  DataOptions data;
  std::string device = "cpu";
  bool resume = false;
  double checkpoint_minutes = 5;
  std::string checkpoint, log, report, recipe;

  void declare(Options& options);
  void declare_teachers(Options& options, Options::Need need);
  /// What the trainer is told, with files, device and processes. fresh: the weights are random. No teachers.
  train::TrainOptions trainer_options(const CommonOptions& common, bool fresh) const;
  TrainingData open_data(const Graph& graph, const CommonOptions& common) const;
  /// Checks the files to write; checkpoints lie beside the output unless told otherwise.
  void prepare_files(Console& console, const std::string& output);
};

/// Runs the step, data and settings taken from the options, with a line about its data; writes its recipe where
/// options.recipe names a file.
TrainStepOutcome run_training(Console& console, Graph graph, TrainStep step, const TrainingOptions& options);

/// RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT, as torchrun, Slurm and Kubernetes set them.
train::WorkerOptions workers_from_environment();

/// One row an epoch, and the JSON of them; the report file when one is asked for.
void show_training(Console& console, const train::TrainResult& result, const TrainingOptions& options,
                   const std::string& title);

}  // namespace adze::cli
