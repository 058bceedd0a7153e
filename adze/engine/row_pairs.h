#pragma once

#include <memory>
#include <span>

#include "adze/engine/step.h"
#include "adze/graph/graph.h"

namespace adze::engine {

/// Two float convolutions of which the second alone reads the first's result, one of them depthwise and the other 1x1,
/// become a pair where that result is too large for the L2 cache: the first is then computed a few rows at a time, just
/// before the second reads them. The second node's inputs get those of the first behind its own, so that they live as
/// long. arranged: as engine/arrange made it.
void pair_rows(Graph& arranged);

/// The first of a pair: its step does nothing.
bool begins_row_pair(const Node& node);
/// The second: its step computes both.
bool ends_row_pair(const Node& node);
/// origins: the nodes' of the session's graph. places: of values, by id.
std::unique_ptr<Step> bind_row_pair(const BindContext& second, NodeId first, NodeId first_origin,
                                    std::span<std::byte* const> places);
/// The first node of the pair that the second ends.
NodeId first_of_row_pair(const Graph& arranged, const Node& second);

}  // namespace adze::engine
