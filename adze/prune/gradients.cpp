#include "adze/prune/gradients.h"

#include <algorithm>

#include "adze/base/random.h"
#include "adze/data/batches.h"
#include "adze/train/epoch_loader.h"
#include "adze/train/learner.h"
#include "adze/train/parameters.h"

namespace adze::prune {

namespace {

class TrainingGradients final : public GradientSource {
 public:
  TrainingGradients(const Graph& graph, std::shared_ptr<const Dataset> dataset, std::int64_t batches,
                    std::int64_t batch_size, std::uint64_t seed, int threads)
      : dataset_(std::move(dataset)), batch_size_(batch_size) {
    indices_ = sample_indices(*dataset_, batches * batch_size, seed);
    Random random(seed);
    const auto order = random_permutation(static_cast<std::int64_t>(indices_.size()), random);
    std::vector<std::int64_t> shuffled;
    for (const std::int64_t i : order) shuffled.push_back(indices_[static_cast<std::size_t>(i)]);
    indices_ = std::move(shuffled);
    train::LearnerOptions options;
    options.threads = threads;
    options.freeze_statistics = true;
    learner_ = train::plugin().make_learner(train::with_open_batch(graph), options);
  }

  std::int64_t num_batches() const override {
    return (static_cast<std::int64_t>(indices_.size()) + batch_size_ - 1) / batch_size_;
  }

  std::map<std::string, Tensor> gradients(std::int64_t batch) override {
    const auto begin = static_cast<std::size_t>(batch * batch_size_);
    const auto end = std::min(begin + static_cast<std::size_t>(batch_size_), indices_.size());
    BatchLoader loader(
        *dataset_,
        {indices_.begin() + static_cast<std::ptrdiff_t>(begin), indices_.begin() + static_cast<std::ptrdiff_t>(end)},
        {.batch_size = batch_size_, .prefetch = 0});
    const auto samples = loader.next();
    if (!samples) return {};
    return learner_->gradients(train::learn_batch(*samples));
  }

  void set_weight(const std::string& name, const Tensor& value) override { learner_->set_parameter(name, value); }

 private:
  std::shared_ptr<const Dataset> dataset_;
  std::int64_t batch_size_;
  std::vector<std::int64_t> indices_;
  std::unique_ptr<train::Learner> learner_;
};

}  // namespace

std::unique_ptr<GradientSource> training_gradients(const Graph& graph, std::shared_ptr<const Dataset> dataset,
                                                   std::int64_t batches, std::int64_t batch_size, std::uint64_t seed,
                                                   int threads) {
  return std::make_unique<TrainingGradients>(graph, std::move(dataset), batches, batch_size, seed, threads);
}

}  // namespace adze::prune
