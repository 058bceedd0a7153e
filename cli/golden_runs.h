#pragma once

#include <cstdint>
#include <vector>

#include "adze/emit/c/emit.h"

namespace adze::cli {

/// The graph as it is emitted: simplified unless told otherwise, unknown dimensions 1; with integer_ports, inputs and
/// outputs as bytes where the model quantizes them itself.
Graph emittable(Graph graph, bool simplify, bool integer_ports = false);

/// What the engine makes of seeded random inputs: any byte for int8 inputs, normal numbers for the others.
std::vector<emit::Golden> golden_runs(const Graph& graph, std::int64_t count, std::int64_t seed);

}  // namespace adze::cli
