#pragma once

#include <memory>
#include <string>

#include "adze/data/dataset.h"
#include "adze/recipe/runner.h"

namespace adze {

/// How many samples each part of a search's data gets; 0 for testing: all that are left.
struct PartSizes {
  std::int64_t calibration = 256;
  std::int64_t validation = 2000;
  std::int64_t test = 0;
};

/// The three disjoint parts that a search works on: ranges are learned on the first, the choice is made on the second,
/// the final figures come from the third.
struct DataParts {
  std::shared_ptr<Dataset> calibration, validation, test;
  DataRequest calibration_request;  ///< with it, a recipe draws the same calibration samples again
  std::string description;          ///< of the test part
};

/// Divides data that has train and test splits ("demo" has), or one set into three. Calibration samples are those that
/// sample_indices(train or whole set, sizes.calibration, seed) gives. Throws UsageError when a part gets too small.
DataParts divide_data(const Graph& graph, const DataRequest& request, const PartSizes& sizes, std::uint64_t seed);

}  // namespace adze
