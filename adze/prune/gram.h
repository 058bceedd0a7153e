#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "adze/prune/layers.h"
#include "adze/prune/statistics.h"

namespace adze::prune {

/// Σ x xᵀ over the inputs x that a layer's rows are multiplied with (im2col'd for convolutions).
struct Gram {
  std::int64_t columns = 0;
  std::int64_t count = 0;
  std::vector<double> sums;  ///< columns × columns, symmetric
};

struct GramOptions {
  std::int64_t max_columns = 2304;  ///< wider layers are left out
  std::int64_t samples = 4;         ///< places taken per column, spread over the data
};

/// Measures the layers of one group (depthwise and grouped convolutions and recurrent ones are left out), by weight.
std::map<ValueId, Gram> measure_grams(const Graph& graph, std::span<const Layer> layers, const Batches& batches,
                                      const GramOptions& options = {}, ProgressSink& progress = silent_progress());

}  // namespace adze::prune
