#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "adze/base/progress.h"
#include "adze/data/augment.h"
#include "adze/data/dataset.h"
#include "adze/train/learner.h"
#include "adze/train/schedule.h"

namespace adze::train {

struct TrainOptions {
  LearnerOptions learner;
  ScheduleOptions schedule;
  std::int64_t epochs = 10;
  std::int64_t batch_size = 128;
  AugmentOptions augment;
  std::string augment_text;  ///< what augment was made from, to recognise a checkpoint's job
  std::uint64_t seed = 0;
  bool keep_best = true;      ///< the result is the epoch that did best on the validation data; else the last
  std::int64_t patience = 0;  ///< stop after so many epochs without a new best; 0: never
  std::filesystem::path
      checkpoint;  ///< written after every epoch, every checkpoint_seconds and when interrupted; empty: none
  double checkpoint_seconds = 300;
  bool resume = false;                               ///< go on from the checkpoint when there is one
  std::filesystem::path log;                         ///< JSON lines, one an epoch; empty: none
  std::int64_t cache_bytes = std::int64_t{2} << 30;  ///< for decoded samples
};

struct EpochResult {
  std::int64_t epoch = 0;  ///< from 1
  double loss = 0;
  double accuracy = 0;  ///< on training samples as augmented; 0 without labels
  double validation_loss = 0;
  double validation_accuracy = 0;
  double learning_rate = 0;  ///< at its end
  double samples_per_second = 0;
  double seconds = 0;
};

struct TrainResult {
  Graph graph;
  std::vector<EpochResult> epochs;
  std::int64_t best_epoch = 0;
  double seconds = 0;
  std::int64_t steps = 0;
  bool stopped_early = false;
  std::vector<BadSample> skipped;
};

/// Called before each step: step of steps, with the learner at hand. For masks that change while training.
using StepHook = std::function<void(Learner&, std::int64_t step, std::int64_t steps)>;

/// Trains the graph: shuffled batches of `training`, a look at `validation` after each epoch (never a test set). The
/// same options and threads give the same bytes, killed and resumed or not.
///
/// Throws  UsageError for options that cannot be, or a checkpoint of another job; ModelError naming the node when
///         training diverges (the checkpoint then holds the last good epoch); Interrupted after writing the checkpoint
TrainResult train(const Graph& graph, std::shared_ptr<const Dataset> training,
                  std::shared_ptr<const Dataset> validation, const TrainOptions& options,
                  ProgressSink& progress = silent_progress(), const StepHook& hook = {});

/// Loss and accuracy of a learner on data, in deployment form.
struct ValidationResult {
  double loss = 0;
  double accuracy = 0;
};
ValidationResult validate(Learner& learner, const Dataset& dataset, std::int64_t batch_size);

}  // namespace adze::train
