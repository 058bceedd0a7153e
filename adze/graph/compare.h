#pragma once

#include <optional>
#include <string>

#include "adze/graph/graph.h"

namespace adze {

/// The first difference between two graphs that is not a matter of names, numbering or order, or nothing: the same
/// inputs and outputs (by name), the same operators with the same attributes (defaults filled in), the same constants
/// to the bit, followed from the outputs. Types count for the inputs only; metadata does not count.
std::optional<std::string> structural_difference(const Graph& a, const Graph& b);

inline bool structurally_equal(const Graph& a, const Graph& b) {
  return !structural_difference(a, b);
}

}  // namespace adze
