#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "adze/graph/graph.h"

namespace adze::train {

/// Yields the inputs of one batch, in the order of graph.inputs(); nothing at the end.
using BatchSource = std::function<std::optional<std::vector<Tensor>>()>;

/// Puts a BatchNormalization behind every convolution that has none, so that fine-tuning can normalize again what was
/// folded for deployment: mean and variance are those of the convolution's output on the given data, scale and shift
/// undo them, so the network computes what it did. Biases move into the shift. simplify() folds them in again.
/// Throws ModelError when there is no data.
Graph unfold_batch_norms(Graph graph, const BatchSource& batches);

}  // namespace adze::train
