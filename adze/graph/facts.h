#pragma once

#include <cstdint>

#include "adze/graph/graph.h"

namespace adze {

/// What must go on holding for a network's weights once a step has made it so. Kept in the graph's metadata as
/// "adze.keep", so that it goes with the file; steps that change weights read it.
struct WeightFacts {
  bool zeros = false;          ///< weights that are 0 stay 0: the network was pruned
  bool shared_values = false;  ///< equal weights of a tensor stay equal: the network was clustered, or lies on a grid
  std::int64_t num_zeros = 0, num_weights = 0;  ///< of all layers when `zeros` was noted; both 0: not counted
  bool operator==(const WeightFacts&) const = default;
};

WeightFacts weight_facts(const Graph& graph);
void set_weight_facts(Graph& graph, const WeightFacts& facts);

/// Are these weights (two axes or more) that share values: at most 256 different ones, each for four elements or more
/// on the average?
bool shares_values(const Tensor& weights);

/// Throws InternalError naming the first f32 constant of `before` with two axes or more whose zeros or shared values
/// are gone in the constant of the same name of `after`.
void check_weight_facts(const Graph& before, const Graph& after, const WeightFacts& facts);

}  // namespace adze
