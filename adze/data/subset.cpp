#include "adze/data/subset.h"

#include "adze/data/batches.h"

namespace adze {

namespace {

class Subset final : public Dataset {
 public:
  Subset(std::shared_ptr<const Dataset> dataset, std::vector<std::int64_t> indices)
      : dataset_(std::move(dataset)), indices_(std::move(indices)) {}

  std::int64_t size() const override { return static_cast<std::int64_t>(indices_.size()); }
  Sample get(std::int64_t index) const override { return dataset_->get(at(index)); }
  Sample get_augmented(std::int64_t index, const AugmentOptions& options, const Random& random) const override {
    return dataset_->get_augmented(at(index), options, random);
  }
  std::int64_t label(std::int64_t index) const override { return dataset_->label(at(index)); }
  std::string name(std::int64_t index) const override { return dataset_->name(at(index)); }
  const std::vector<std::string>& class_names() const override { return dataset_->class_names(); }
  std::string description() const override { return dataset_->description(); }
  bool augments_source() const override { return dataset_->augments_source(); }
  std::map<std::string, std::string> metadata() const override { return dataset_->metadata(); }

 private:
  std::int64_t at(std::int64_t index) const { return indices_[static_cast<std::size_t>(index)]; }

  std::shared_ptr<const Dataset> dataset_;
  std::vector<std::int64_t> indices_;
};

}  // namespace

std::shared_ptr<Dataset> subset(std::shared_ptr<const Dataset> dataset, std::vector<std::int64_t> indices) {
  return std::make_shared<Subset>(std::move(dataset), std::move(indices));
}

SplitIndices split_indices(const Dataset& dataset, std::int64_t count, std::uint64_t seed) {
  SplitIndices split;
  split.first = sample_indices(dataset, count, seed, Sampling::Stratified);
  std::size_t next = 0;
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    if (next < split.first.size() && split.first[next] == i) {
      ++next;
    } else {
      split.second.push_back(i);
    }
  }
  return split;
}

}  // namespace adze
