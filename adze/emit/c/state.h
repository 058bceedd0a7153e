#pragma once

#include <vector>

#include "adze/emit/c/files.h"

namespace adze::emit {

/// Moves the ports that keep state between calls from inputs and outputs to interface.states, and their tensors out of
/// the golden runs. They are named by the graph's metadata "adze.state": "input=output,input=output".
/// Throws UsageError for names that the graph does not have and for ports that differ in type, shape or scale.
void take_states(const Graph& graph, Interface& interface, std::vector<Golden>& golden);

}  // namespace adze::emit
