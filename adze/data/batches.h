#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adze/data/augment.h"
#include "adze/data/dataset.h"

namespace adze {

/// Stacked samples. Row i of inputs is the sample indices[i] of the data set.
struct Batch {
  Tensor inputs;                  ///< [samples, …]
  std::optional<Tensor> targets;  ///< [samples, …], where the samples have targets
  std::vector<std::int64_t> labels;
  std::vector<std::int64_t> indices;
  /// After mixup (see augment.h): the loss is lambda · loss(labels) + (1 − lambda) · loss(other_labels).
  std::vector<std::int64_t> other_labels;  ///< empty without mixup
  double lambda = 1.0;

  std::int64_t size() const { return static_cast<std::int64_t>(indices.size()); }
};

/// Tensors of equal dtype and shape [n, rest…] joined along the first axis. Throws ModelError when they differ.
Tensor stack(std::span<const Tensor> tensors);

enum class Sampling : std::uint8_t {
  First,       ///< in the data set's order
  Random,      ///< uniformly, without replacement
  Stratified,  ///< as Random, with equal counts of each class as far as the classes reach
};

/// Indices of count samples (all of them when count ≤ 0 or more than there are), the same for the same seed; ascending.
std::vector<std::int64_t> sample_indices(const Dataset& dataset, std::int64_t count, std::uint64_t seed,
                                         Sampling sampling = Sampling::Stratified);

struct BatchOptions {
  std::int64_t batch_size = 32;
  int prefetch = 2;             ///< batches decoded ahead on another thread; 0: decode within next()
  AugmentOptions augment = {};  ///< random changes; those of a sample follow from seed, epoch and its index alone,
  std::uint64_t seed = 0;       ///< those of a batch (mixup) from seed, epoch and the first index
  std::int64_t epoch = 0;
};

/// Yields batches of chosen samples in order; undecodable ones are left out (see Dataset::try_get), so a batch may be
/// smaller. The data set must outlive it.
class BatchLoader {
 public:
  BatchLoader(const Dataset& dataset, std::vector<std::int64_t> indices, const BatchOptions& options = {});
  ~BatchLoader();
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;

  /// The next batch, or nothing at the end. Errors of the decoding thread are thrown here.
  std::optional<Batch> next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace adze
