#pragma once

#include <cstdint>

#include "adze/graph/graph.h"

namespace adze::testing {

struct RandomGraphOptions {
  int nodes = 14;          ///< pieces: an operator or a small pattern each
  bool quantized = false;  ///< with QuantizeLinear and DequantizeLinear pairs
};

/// A valid network of convolutions, products, normalizations, elementwise, movement and reduction operators with random
/// shapes and constants, seeded: the same seed gives the same graph. Patterns that rewrites look for are
/// over-represented. Inputs are float; the first dimension may be symbolic.
Graph random_graph(std::uint64_t seed, const RandomGraphOptions& options = {});

/// Changes the graph in a way that must not change what it computes: puts an Identity, a pair of Transposes, or a Split
/// and a Concat behind a few values.
void insert_neutral_nodes(Graph& graph, std::uint64_t seed);

}  // namespace adze::testing
