#pragma once

#include <span>

#include "adze/graph/graph.h"
#include "adze/rewrite/rule.h"

namespace adze::rewrite {

struct RewriteOptions {
  Evaluator evaluate;                                   ///< empty: nothing is computed
  std::int64_t max_fold_bytes = std::int64_t{1} << 26;  ///< the most bytes that one folded value may take
  std::int64_t max_edits = 0;                           ///< 0: 20 a node and 1,000 more
};

/// Applies the rules to every node, subgraphs included, until none applies any more. Returns the number of edits.
/// Throws InternalError naming rule and node when the rules do not come to an end, or an edit does not fit.
int rewrite(Graph& graph, std::span<const Rule> rules, const RewriteOptions& options = {});

}  // namespace adze::rewrite
