#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "adze/evaluate/evaluate.h"

namespace adze {

/// Samples of one group, such as "night pictures".
struct SampleGroup {
  std::string name;
  std::vector<std::string> samples;  ///< names of samples, or how they end after a "/"
};

/// A table with a header whose columns sample and group say which sample is in which group; other columns are ignored,
/// a sample may be in several groups. Throws ModelError naming the file.
std::vector<SampleGroup> read_sample_groups(const std::filesystem::path& path);

/// How right two networks are about one part of the data.
struct SliceResult {
  std::string name;  ///< "class cat" or "group night"
  std::int64_t samples = 0;
  std::int64_t correct_before = 0, correct_after = 0;
  double drop() const {
    return samples > 0 ? static_cast<double>(correct_before - correct_after) / static_cast<double>(samples) : 0;
  }
};

struct NewMistake {
  std::string sample;
  std::int64_t label = -1, before = -1, after = -1;
};

struct SliceComparison {
  std::vector<SliceResult> slices;       ///< all classes, then all groups, but for empty ones
  std::vector<NewMistake> new_mistakes;  ///< right before, wrong after
  /// The slice that lost most; throws nothing: an empty result without slices.
  SliceResult worst() const;
};

/// Both results must be of the same samples of the dataset. Throws InternalError otherwise, UsageError when a group
/// names no sample.
SliceComparison compare_slices(const EvaluateResult& before, const EvaluateResult& after, const Dataset& dataset,
                               const std::vector<SampleGroup>& groups = {});

}  // namespace adze
