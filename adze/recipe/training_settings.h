#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "adze/recipe/runner.h"
#include "adze/train/trainer.h"

namespace adze {

/// How a network is trained, in the words of flags and recipes.
struct TrainingSettings {
  double validation = 0.1;  ///< share of the training data that epochs are judged on
  std::int64_t epochs = 10, batch = 128, patience = 0;
  std::string optimizer = "auto", schedule = "cosine", precision = "f32", loss = "auto", augment;
  double learning_rate = 0, momentum = 0.9, weight_decay = 5e-4, final_rate = 0, warmup = 0, gamma = 0.1;
  std::vector<std::string> milestones;
  bool nesterov = false, keep_zeros = false, keep_values = false, last = false;
  std::int64_t gradient_bits = 0;
  double label_smoothing = 0, clip_norm = 0, ema = 0;
  std::vector<std::string> freeze;
  // Teachers.
  std::vector<std::string> teachers, features, attention, blocks;
  double temperature = 4, teacher_weight = 1, task_weight = 1;
  bool operator==(const TrainingSettings&) const = default;
};

/// What the trainer is told. fresh: the weights are random. optimizer "auto" and learning_rate 0 become what suits
/// that. Teachers are not opened. Throws UsageError for a word that cannot be.
train::TrainOptions trainer_options(const TrainingSettings& settings, bool fresh, std::uint64_t seed, int threads);

/// Loads the teachers and sets the terms by which they are listened to.
train::DistillOptions distill_options(const TrainingSettings& settings);

/// The data of a training run: a part that is learned from and a part that epochs are judged on; never a test split.
struct TrainingData {
  std::shared_ptr<const Dataset> training, validation;
};
/// Takes the "train" split where the data has splits and none is named; samples: so many of them, 0 for all.
/// Throws UsageError when too little is left.
TrainingData open_training_data(const Graph& graph, const DataRequest& request, std::int64_t samples, double validation,
                                std::uint64_t seed);

}  // namespace adze
