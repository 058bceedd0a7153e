#include "adze/data/dataset.h"

#include <algorithm>

#include "adze/base/error.h"

namespace adze {

std::int64_t Dataset::num_classes() const {
  if (!class_names().empty()) return static_cast<std::int64_t>(class_names().size());
  std::int64_t largest = -1;
  for (std::int64_t i = 0; i < size(); ++i) largest = std::max(largest, label(i));
  return largest + 1;
}

Sample Dataset::get_augmented(std::int64_t index, const AugmentOptions& options, const Random& random) const {
  Sample sample = get(index);
  sample.input = augment(sample.input, options, random);
  return sample;
}

std::optional<Sample> Dataset::try_get(std::int64_t index) const {
  return attempt(index, [&] { return get(index); });
}

std::optional<Sample> Dataset::try_get_augmented(std::int64_t index, const AugmentOptions& options,
                                                 const Random& random) const {
  return attempt(index, [&] { return get_augmented(index, options, random); });
}

std::optional<Sample> Dataset::attempt(std::int64_t index, const std::function<Sample()>& read) const {
  try {
    return read();
  } catch (const ModelError& error) {
    if (strict_) throw;
    const std::lock_guard lock(mutex_);
    const auto place = std::lower_bound(bad_.begin(), bad_.end(), index,
                                        [](const BadSample& bad, std::int64_t wanted) { return bad.index < wanted; });
    if (place == bad_.end() || place->index != index) bad_.insert(place, {index, name(index), error.message()});
    return std::nullopt;
  }
}

std::vector<BadSample> Dataset::bad_samples() const {
  const std::lock_guard lock(mutex_);
  return bad_;
}

}  // namespace adze
