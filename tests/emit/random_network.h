#pragma once

#include <cstdint>

#include "adze/graph/graph.h"

namespace adze::testing {

/// A network of integer operators (domain adze) and movement on s8 tensors with random shapes, weights and scales, in
/// one of the three rounding profiles; the same seed gives the same network. dtype s16: activations of 16 bits.
Graph random_integer_network(std::uint64_t seed, DType dtype = DType::S8);

}  // namespace adze::testing
