#include "adze/rewrite/simplify.h"

#include "adze/rewrite/rewrite.h"
#include "adze/rewrite/rules/fold_constants.h"
#include "adze/rewrite/rules/inline_if.h"
#include "adze/rewrite/rules/merge_duplicates.h"
#include "adze/rewrite/rules/remove_identities.h"

namespace adze::rewrite {

namespace {

/// A step that applies rules to a fixed point.
Step step_of(std::string name, std::vector<Rule> rules, const SimplifyOptions& options) {
  RewriteOptions rewrite_options{options.evaluate, options.max_fold_bytes};
  Exactness exactness = Exactness::Exact;
  for (const Rule& rule : rules) {
    if (rule.exactness == Exactness::Rounding) exactness = Exactness::Rounding;
  }
  return {std::move(name),
          [rules = std::move(rules), rewrite_options](Graph& graph) { return rewrite(graph, rules, rewrite_options); },
          exactness};
}

}  // namespace

std::vector<Step> simplify_steps(const SimplifyOptions& options) {
  return {
      {"remove-dead-nodes", [](Graph& graph) { return remove_dead_nodes(graph); }},
      step_of("fold-constants", fold_constants_rules(), options),
      step_of("inline-branches", inline_if_rules(), options),
      step_of("remove-identities", remove_identities_rules(), options),
      step_of("merge-duplicates", merge_duplicates_rules(), options),
      {"merge-constants", merge_equal_constants},
  };
}

std::vector<StepResult> simplify(Graph& graph, const SimplifyOptions& options) {
  std::vector<StepResult> results = run_steps(graph, simplify_steps(options), options.steps);
  graph.compact();
  return results;
}

}  // namespace adze::rewrite
