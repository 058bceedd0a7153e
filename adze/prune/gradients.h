#pragma once

#include <memory>

#include "adze/data/dataset.h"
#include "adze/prune/statistics.h"

namespace adze::prune {

/// Gradients by the training plug-in, on `batches` batches of samples drawn with the seed.
/// Throws UnsupportedError when the plug-in is not installed.
std::unique_ptr<GradientSource> training_gradients(const Graph& graph, std::shared_ptr<const Dataset> dataset,
                                                   std::int64_t batches, std::int64_t batch_size, std::uint64_t seed,
                                                   int threads);

}  // namespace adze::prune
