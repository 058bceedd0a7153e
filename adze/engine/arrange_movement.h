#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "adze/graph/graph.h"

namespace adze::engine {

/// Where an axis of [N, C, spatial…] is with channels last.
std::int64_t moved_axis(std::int64_t axis, std::int64_t rank);

/// What Pad, Slice and Resize (nearest) must read beside their data to do the same with channels last, by input;
/// nothing for other operators and where it is not constant.
std::optional<std::map<std::size_t, Tensor>> channels_last_operands(const Graph& graph, const Node& node,
                                                                    std::int64_t rank);

}  // namespace adze::engine
