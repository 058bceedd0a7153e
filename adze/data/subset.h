#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "adze/data/dataset.h"

namespace adze {

/// The chosen samples of a data set, renumbered from 0 in the order given. Indices must be in range.
std::shared_ptr<Dataset> subset(std::shared_ptr<const Dataset> dataset, std::vector<std::int64_t> indices);

/// Two disjoint random parts of a data set, stratified by class: the first with count samples (at most all).
struct SplitIndices {
  std::vector<std::int64_t> first, second;
};
SplitIndices split_indices(const Dataset& dataset, std::int64_t count, std::uint64_t seed);

}  // namespace adze
