#pragma once

#include "adze/graph/graph.h"
#include "cli/console.h"

namespace adze::cli {

/// For a pruned network: how many weights of its layers are 0, and whether any that was 0 when it was pruned is so no
/// longer, which is a remark too. Nothing for other networks. Returns false when zeros were lost.
bool show_zeros(Console& console, const Graph& graph);

/// What writing weights as sparse initializers (--sparse) saved; where none got smaller, from which share of zeros one
/// would.
void show_sparse_initializers(Console& console, const Graph& graph);

}  // namespace adze::cli
