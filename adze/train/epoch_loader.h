#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "adze/data/augment.h"
#include "adze/data/batches.h"
#include "adze/data/dataset.h"
#include "adze/train/learner.h"

namespace adze::train {

/// Samples kept in memory once they were decoded, up to a limit; beyond it they are decoded again each time.
std::shared_ptr<const Dataset> cached(std::shared_ptr<const Dataset> dataset, std::int64_t max_bytes);

/// What a learner is told of a batch: integer targets are labels (tokens); without labels and targets the inputs are
/// what is to be given back, as by an autoencoder.
LearnBatch learn_batch(const Batch& batch);

/// The order in which an epoch visits the samples: a permutation that follows from seed and epoch.
std::vector<std::int64_t> epoch_order(const std::vector<std::int64_t>& samples, std::uint64_t seed, std::int64_t epoch);

struct EpochLoaderOptions {
  std::int64_t batch_size = 128;
  std::uint64_t seed = 0;
  AugmentOptions augment;
  int rank = 0, workers = 1;  ///< a process' share of each batch: every workers-th sample from the rank-th on
  int prefetch = 2;           ///< batches prepared ahead on another thread; 0: within next()
};

/// The batches of one epoch from batch `first` on: shuffled, augmented, stacked. What a batch holds depends on seed,
/// epoch and its number alone. The last batch of fewer samples is left out when there are others (batch norm would see
/// too few). The data set must outlive it.
class EpochLoader {
 public:
  EpochLoader(const Dataset& dataset, std::vector<std::int64_t> order, std::int64_t epoch, std::int64_t first,
              const EpochLoaderOptions& options);
  ~EpochLoader();
  EpochLoader(const EpochLoader&) = delete;
  EpochLoader& operator=(const EpochLoader&) = delete;

  static std::int64_t batches(std::int64_t samples, std::int64_t batch_size);
  std::optional<LearnBatch> next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace adze::train
