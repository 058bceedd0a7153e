#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "adze/base/progress.h"
#include "adze/graph/graph.h"
#include "adze/rewrite/rule.h"

namespace adze::rewrite {

/// A named pass over a graph. run changes the graph and says how many changes it made.
struct Step {
  std::string name;
  std::function<int(Graph&)> run;
  Exactness exactness = Exactness::Exact;
};

struct StepResult {
  std::string name;
  int changes = 0;
  double seconds = 0;
  bool skipped = false;
};

struct StepOptions {
  std::vector<std::string> skip = {};  ///< names of steps to leave out
  /// Called after each step that changed something, with the graph before and after it; throws when they disagree.
  std::function<void(const Graph& before, const Graph& after, const Step&)> verify = {};
  ProgressSink* progress = nullptr;
};

/// Runs the steps in order: each timed, then the graph checked (verify(), types inferred again) and handed to
/// options.verify. A step that appears twice runs twice; skipping its name skips both.
/// Throws UsageError with the nearest name for an unknown name in skip; every fault of a step names the step and the
/// node, and the graph is then as it was before that step.
std::vector<StepResult> run_steps(Graph& graph, std::span<const Step> steps, const StepOptions& options);

}  // namespace adze::rewrite
