#pragma once

#include <vector>

#include "adze/engine/session.h"
#include "adze/prune/statistics.h"

namespace adze::prune {

/// How networks run while something is measured on them: on all threads.
inline SessionOptions measuring_options() {
  SessionOptions options;
  options.threads = 0;
  return options;
}

/// All outputs of a network, by batch.
using Outputs = std::vector<std::vector<Tensor>>;
Outputs outputs_of(const Graph& graph, const Batches& batches);

/// Squared error over the square of what was wanted.
double relative_error(const Outputs& wanted, const Outputs& got);

}  // namespace adze::prune
