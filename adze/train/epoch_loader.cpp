#include "adze/train/epoch_loader.h"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include "adze/base/random.h"
#include "adze/base/text.h"
#include "adze/data/batches.h"

namespace adze::train {

namespace {

class CachedDataset : public Dataset {
 public:
  CachedDataset(std::shared_ptr<const Dataset> dataset, std::int64_t max_bytes)
      : dataset_(std::move(dataset)), left_(max_bytes), kept_(static_cast<std::size_t>(dataset_->size())) {}

  std::int64_t size() const override { return dataset_->size(); }
  std::int64_t label(std::int64_t index) const override { return dataset_->label(index); }
  std::string name(std::int64_t index) const override { return dataset_->name(index); }
  const std::vector<std::string>& class_names() const override { return dataset_->class_names(); }
  std::string description() const override { return dataset_->description(); }

  std::map<std::string, std::string> metadata() const override { return dataset_->metadata(); }
  bool augments_source() const override { return dataset_->augments_source(); }

  Sample get_augmented(std::int64_t index, const AugmentOptions& options, const Random& random) const override {
    const bool from_source = dataset_->augments_source() && options.changes_samples();
    return from_source ? dataset_->get_augmented(index, options, random)
                       : Dataset::get_augmented(index, options, random);
  }

  Sample get(std::int64_t index) const override {
    const auto at = static_cast<std::size_t>(index);
    {
      const std::lock_guard lock(mutex_);
      if (kept_[at]) return *kept_[at];
    }
    Sample sample = dataset_->get(index);
    const std::int64_t bytes = sample.input.num_bytes() + (sample.target ? sample.target->num_bytes() : 0);
    const std::lock_guard lock(mutex_);
    if (bytes <= left_ && !kept_[at]) {
      left_ -= bytes;
      kept_[at] = std::make_unique<Sample>(sample);
    }
    return sample;
  }

 private:
  std::shared_ptr<const Dataset> dataset_;
  mutable std::mutex mutex_;
  mutable std::int64_t left_;
  mutable std::vector<std::unique_ptr<Sample>> kept_;
};

Tensor label_tensor(const std::vector<std::int64_t>& labels) {
  return Tensor::from<std::int64_t>({static_cast<std::int64_t>(labels.size())}, labels);
}

}  // namespace

std::shared_ptr<const Dataset> cached(std::shared_ptr<const Dataset> dataset, std::int64_t max_bytes) {
  return std::make_shared<CachedDataset>(std::move(dataset), max_bytes);
}

LearnBatch learn_batch(const Batch& batch) {
  LearnBatch result;
  result.inputs = {batch.inputs};
  const bool labelled =
      std::any_of(batch.labels.begin(), batch.labels.end(), [](std::int64_t label) { return label >= 0; });
  if (batch.targets && is_integer(batch.targets->dtype())) {
    result.labels = converted(*batch.targets, DType::S64);
  } else if (batch.targets) {
    result.targets = *batch.targets;
  } else if (labelled) {
    result.labels = label_tensor(batch.labels);
  } else {
    result.targets = batch.inputs;
  }
  if (batch.other_labels.empty()) return result;
  result.other_labels = label_tensor(batch.other_labels);
  result.shares.assign(batch.labels.size(), static_cast<float>(batch.lambda));
  return result;
}

std::vector<std::int64_t> epoch_order(const std::vector<std::int64_t>& samples, std::uint64_t seed,
                                      std::int64_t epoch) {
  Random random = Random(seed).split(0x0bde).split(static_cast<std::uint64_t>(epoch));
  std::vector<std::int64_t> order;
  for (const std::int64_t i : random_permutation(static_cast<std::int64_t>(samples.size()), random)) {
    order.push_back(samples[static_cast<std::size_t>(i)]);
  }
  return order;
}

struct EpochLoader::State {
  const Dataset& dataset;
  std::vector<std::int64_t> order;
  std::int64_t epoch, next, batches;
  EpochLoaderOptions options;

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<LearnBatch> ready;
  std::exception_ptr error;
  bool finished = false, stop = false;
  std::thread worker;

  std::optional<Batch> stacked(std::int64_t number) const;
  LearnBatch make(std::int64_t number) const;
  void work();
};

/// Stacked samples, varied and mixed.
std::optional<Batch> EpochLoader::State::stacked(std::int64_t number) const {
  std::vector<Tensor> inputs, targets;
  Batch batch;
  const auto first = static_cast<std::size_t>(number * options.batch_size);
  const std::size_t last = std::min(order.size(), first + static_cast<std::size_t>(options.batch_size));
  for (std::size_t i = first + static_cast<std::size_t>(options.rank); i < last;
       i += static_cast<std::size_t>(options.workers)) {
    const auto sample =
        dataset.try_get_augmented(order[i], options.augment, augment_random(options.seed, epoch, order[i]));
    if (!sample) continue;
    inputs.push_back(sample->input);
    if (sample->target) targets.push_back(*sample->target);
    batch.labels.push_back(sample->label);
    batch.indices.push_back(order[i]);
  }
  if (inputs.empty()) return std::nullopt;
  batch.inputs = stack(inputs);
  if (targets.size() == inputs.size()) batch.targets = stack(targets);
  mix_batch(batch, options.augment,
            Random(options.seed).split(static_cast<std::uint64_t>(epoch)).split(static_cast<std::uint64_t>(number)));
  return batch;
}

LearnBatch EpochLoader::State::make(std::int64_t number) const {
  const std::optional<Batch> batch = stacked(number);
  return batch ? learn_batch(*batch) : LearnBatch{};
}

void EpochLoader::State::work() {
  try {
    for (std::int64_t number = next; number < batches; ++number) {
      LearnBatch batch = make(number);
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return stop || ready.size() < static_cast<std::size_t>(options.prefetch); });
      if (stop) return;
      ready.push_back(std::move(batch));
      changed.notify_all();
    }
  } catch (...) {
    const std::lock_guard lock(mutex);
    error = std::current_exception();
  }
  const std::lock_guard lock(mutex);
  finished = true;
  changed.notify_all();
}

std::int64_t EpochLoader::batches(std::int64_t samples, std::int64_t batch_size) {
  return samples < batch_size ? std::int64_t{samples > 0} : samples / batch_size;
}

EpochLoader::EpochLoader(const Dataset& dataset, std::vector<std::int64_t> order, std::int64_t epoch,
                         std::int64_t first, const EpochLoaderOptions& options)
    : state_(new State{dataset, std::move(order), epoch, first, 0, options, {}, {}, {}, {}, false, false, {}}) {
  state_->batches = batches(static_cast<std::int64_t>(state_->order.size()), options.batch_size);
  if (options.prefetch > 0) state_->worker = std::thread([state = state_.get()] { state->work(); });
}

EpochLoader::~EpochLoader() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stop = true;
    state_->changed.notify_all();
  }
  if (state_->worker.joinable()) state_->worker.join();
}

std::optional<LearnBatch> EpochLoader::next() {
  State& state = *state_;
  for (;;) {
    LearnBatch batch;
    if (state.options.prefetch <= 0) {
      if (state.next >= state.batches) return std::nullopt;
      batch = state.make(state.next++);
    } else {
      std::unique_lock lock(state.mutex);
      state.changed.wait(lock, [&] { return !state.ready.empty() || state.finished; });
      if (state.ready.empty()) {
        if (state.error) std::rethrow_exception(state.error);
        return std::nullopt;
      }
      batch = std::move(state.ready.front());
      state.ready.pop_front();
      state.changed.notify_all();
    }
    return batch;
  }
}

}  // namespace adze::train
