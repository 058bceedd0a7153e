#include "adze/data/batches.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <thread>

#include "adze/base/error.h"
#include "adze/base/progress.h"
#include "adze/base/random.h"
#include "adze/base/text.h"

namespace adze {

Tensor stack(std::span<const Tensor> tensors) {
  if (tensors.empty()) throw InternalError("stack: no tensors");
  Shape shape = tensors[0].shape();
  if (shape.empty()) throw InternalError("stack: scalars have no batch dimension");
  std::int64_t rows = 0;
  for (const Tensor& tensor : tensors) {
    const bool same = tensor.dtype() == tensors[0].dtype() && tensor.rank() == tensors[0].rank() &&
                      std::equal(shape.begin() + 1, shape.end(), tensor.shape().begin() + 1);
    if (!same) {
      throw ModelError(cat("samples differ in shape: ", type_text(tensors[0]), " and ", type_text(tensor)), {},
                       "give the size that all of them get, for example --preprocess size=96x96");
    }
    rows += tensor.dim(0);
  }
  if (tensors.size() == 1) return tensors[0];
  shape[0] = rows;
  Tensor out(tensors[0].dtype(), shape);
  std::byte* target = out.mutable_bytes().data();
  for (const Tensor& tensor : tensors) {
    const auto bytes = tensor.bytes();
    if (!bytes.empty()) std::memcpy(target, bytes.data(), bytes.size());
    target += bytes.size();
  }
  return out;
}

std::vector<std::int64_t> sample_indices(const Dataset& dataset, std::int64_t count, std::uint64_t seed,
                                         Sampling sampling) {
  const std::int64_t size = dataset.size();
  if (count <= 0 || count > size) count = size;
  std::vector<std::int64_t> indices;
  if (sampling == Sampling::First || count == size) {
    for (std::int64_t i = 0; i < count; ++i) indices.push_back(i);
    return indices;
  }
  Random random(seed);
  indices = random_permutation(size, random);
  if (sampling == Sampling::Stratified) {
    // Deal the shuffled samples out by class, one of each class a round.
    std::map<std::int64_t, std::int64_t> seen;
    std::vector<std::pair<std::int64_t, std::int64_t>> rounds;
    for (const std::int64_t index : indices) rounds.emplace_back(seen[dataset.label(index)]++, index);
    std::stable_sort(rounds.begin(), rounds.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (std::size_t i = 0; i < rounds.size(); ++i) indices[i] = rounds[i].second;
  }
  indices.resize(static_cast<std::size_t>(count));
  std::sort(indices.begin(), indices.end());
  return indices;
}

struct BatchLoader::State {
  State(const Dataset& data, std::vector<std::int64_t> chosen, const BatchOptions& how)
      : dataset(data), indices(std::move(chosen)), options(how) {}

  const Dataset& dataset;
  std::vector<std::int64_t> indices;
  BatchOptions options;
  std::size_t next = 0;

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Batch> ready;
  std::exception_ptr failure;
  bool finished = false;
  bool stopped = false;
  std::thread thread;

  /// Decodes the next batch that has at least one sample; nothing at the end. Samples whose dtype or shape differ from
  /// the batch's are an error of the data set.
  std::optional<Batch> decode() {
    Batch batch;
    std::vector<Tensor> inputs, targets;
    while (next < indices.size() && static_cast<std::int64_t>(inputs.size()) < options.batch_size) {
      check_cancelled();
      const std::int64_t index = indices[next++];
      auto sample = read(index);
      if (!sample) continue;
      inputs.push_back(std::move(sample->input));
      if (sample->target) targets.push_back(std::move(*sample->target));
      batch.labels.push_back(sample->label);
      batch.indices.push_back(index);
    }
    if (inputs.empty()) return std::nullopt;
    batch.inputs = stack(inputs);
    if (targets.size() == inputs.size()) batch.targets = stack(targets);
    if (options.augment.mixup > 0) {
      // A stream apart from those of the samples.
      mix_batch(batch, options.augment, augment_random(options.seed, options.epoch, batch.indices[0]).split(~0ull));
    }
    return batch;
  }

  std::optional<Sample> read(std::int64_t index) const {
    if (!options.augment.changes_samples()) return dataset.try_get(index);
    return dataset.try_get_augmented(index, options.augment, augment_random(options.seed, options.epoch, index));
  }

  void work() {
    try {
      for (;;) {
        auto batch = decode();
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return stopped || static_cast<int>(ready.size()) < options.prefetch; });
        if (stopped || !batch) break;
        ready.push_back(std::move(*batch));
        changed.notify_all();
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
    }
    const std::lock_guard lock(mutex);
    finished = true;
    changed.notify_all();
  }
};

BatchLoader::BatchLoader(const Dataset& dataset, std::vector<std::int64_t> indices, const BatchOptions& options)
    : state_(std::make_unique<State>(dataset, std::move(indices), options)) {
  if (options.batch_size <= 0) throw UsageError(cat("batch size is ", options.batch_size, ", expected at least 1"));
  if (options.prefetch > 0) state_->thread = std::thread([state = state_.get()] { state->work(); });
}

BatchLoader::~BatchLoader() {
  if (!state_->thread.joinable()) return;
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopped = true;
  }
  state_->changed.notify_all();
  state_->thread.join();
}

std::optional<Batch> BatchLoader::next() {
  if (state_->options.prefetch <= 0) return state_->decode();
  std::unique_lock lock(state_->mutex);
  state_->changed.wait(lock, [&] { return !state_->ready.empty() || state_->finished; });
  if (state_->ready.empty()) {
    if (state_->failure) std::rethrow_exception(state_->failure);
    return std::nullopt;
  }
  Batch batch = std::move(state_->ready.front());
  state_->ready.pop_front();
  state_->changed.notify_all();
  return batch;
}

}  // namespace adze
