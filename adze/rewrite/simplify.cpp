#include "adze/rewrite/simplify.h"

#include <initializer_list>

#include "adze/rewrite/rewrite.h"
#include "adze/rewrite/rules/cancel_transposes.h"
#include "adze/rewrite/rules/fold_batch_norm.h"
#include "adze/rewrite/rules/fold_bias.h"
#include "adze/rewrite/rules/fold_constants.h"
#include "adze/rewrite/rules/fold_pad.h"
#include "adze/rewrite/rules/fold_scale.h"
#include "adze/rewrite/rules/fuse_gelu.h"
#include "adze/rewrite/rules/fuse_gemm.h"
#include "adze/rewrite/rules/fuse_hard_swish.h"
#include "adze/rewrite/rules/fuse_layer_norm.h"
#include "adze/rewrite/rules/fuse_softmax.h"
#include "adze/rewrite/rules/inline_if.h"
#include "adze/rewrite/rules/merge_clips.h"
#include "adze/rewrite/rules/merge_duplicates.h"
#include "adze/rewrite/rules/merge_linear.h"
#include "adze/rewrite/rules/merge_reshapes.h"
#include "adze/rewrite/rules/merge_slices.h"
#include "adze/rewrite/rules/propagate_qdq.h"
#include "adze/rewrite/rules/remove_identities.h"
#include "adze/rewrite/rules/remove_qdq_pairs.h"

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
  const auto step = [&](std::string name, std::initializer_list<std::vector<Rule>> lists) {
    std::vector<Rule> rules;
    for (const auto& list : lists) rules.insert(rules.end(), list.begin(), list.end());
    return step_of(std::move(name), std::move(rules), options);
  };
  return {
      {"remove-dead-nodes", [](Graph& graph) { return remove_dead_nodes(graph); }},
      step("fold-constants", {fold_constants_rules()}),
      step("inline-branches", {inline_if_rules(), fold_constants_rules()}),
      step("remove-identities", {remove_identities_rules()}),
      step("merge-duplicates", {merge_duplicates_rules()}),
      step("cancel-transposes", {cancel_transposes_rules(), remove_identities_rules(), fold_constants_rules()}),
      step("merge-slices", {merge_slices_rules()}),
      step("merge-reshapes", {merge_reshapes_rules(), remove_identities_rules()}),
      // Patterns before the folds, which would take their constants apart.
      step("fuse-patterns",
           {fuse_layer_norm_rules(), fuse_gelu_rules(), fuse_hard_swish_rules(), fuse_softmax_rules()}),
      step("fuse-gemm", {fuse_gemm_rules()}),
      step("fold-batch-norms", {fold_batch_norm_rules()}),
      step("fold-scales", {fold_scale_rules(), fold_bias_rules()}),
      step("fold-pads", {fold_pad_rules()}),
      step("merge-linear-layers", {merge_linear_rules()}),
      step("merge-clips", {merge_clips_rules()}),
      step("remove-qdq-pairs", {propagate_qdq_rules(), remove_qdq_pairs_rules()}),
      // What the steps above left over.
      step("clean-up", {fold_constants_rules(), remove_identities_rules(), merge_duplicates_rules()}),
      {"merge-constants", merge_equal_constants},
      {"remove-dead-nodes", [](Graph& graph) { return remove_dead_nodes(graph); }},
  };
}

std::vector<StepResult> simplify(Graph& graph, const SimplifyOptions& options) {
  std::vector<StepResult> results = run_steps(graph, simplify_steps(options), options.steps);
  graph.compact();
  return results;
}

}  // namespace adze::rewrite
