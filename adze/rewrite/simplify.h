#pragma once

#include <cstdint>
#include <vector>

#include "adze/graph/graph.h"
#include "adze/rewrite/rule.h"
#include "adze/rewrite/steps.h"

namespace adze::rewrite {

struct SimplifyOptions {
  Evaluator evaluate;                                   ///< computes constant nodes; empty: nothing is computed
  std::int64_t max_fold_bytes = std::int64_t{1} << 26;  ///< the most bytes that one folded value may take
  StepOptions steps = {};
};

/// The rewrites that keep a network's meaning, as a pipeline. Their names can be given to StepOptions::skip.
std::vector<Step> simplify_steps(const SimplifyOptions& options);

/// Runs simplify_steps, then numbers the graph anew, without what is dead. Errors as run_steps.
std::vector<StepResult> simplify(Graph& graph, const SimplifyOptions& options);

}  // namespace adze::rewrite
