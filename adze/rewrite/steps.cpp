#include "adze/rewrite/steps.h"

#include <algorithm>
#include <chrono>

#include "adze/base/text.h"
#include "adze/graph/infer.h"
#include "adze/graph/verify.h"

namespace adze::rewrite {

namespace {

void check_names(std::span<const Step> steps, std::span<const std::string> skip) {
  std::vector<std::string> names;
  for (const Step& step : steps) names.push_back(step.name);
  for (const std::string& name : skip) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    const std::string near = nearest(name, names);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    throw UsageError(cat("no step is named ", quoted(name)),
                     near.empty() ? cat("one of: ", join(names, ", ")) : cat("--skip=", near));
  }
}

int run_checked(Graph& graph, const Step& step, const StepOptions& options) {
  const Graph before = graph;
  try {
    const int changes = step.run(graph);
    if (changes == 0) return 0;
    infer_types(graph);
    verify(graph);
    if (options.verify) options.verify(before, graph, step);
    return changes;
  } catch (const Interrupted&) {
    graph = before;
    throw;
  } catch (const Error& error) {
    graph = before;
    rethrow_with_place(Error(error.code(), cat("step ", step.name, ": ", error.message()), error.place(), error.hint()),
                       {graph.source_file, "", ""});
  }
}

}  // namespace

std::vector<StepResult> run_steps(Graph& graph, std::span<const Step> steps, const StepOptions& options) {
  check_names(steps, options.skip);
  ProgressSink& sink = options.progress != nullptr ? *options.progress : silent_progress();
  ProgressPhase phase(sink, "rewrite", std::ssize(steps), "steps");
  std::vector<StepResult> results;
  for (const Step& step : steps) {
    check_cancelled();
    StepResult result{step.name};
    result.skipped = std::find(options.skip.begin(), options.skip.end(), step.name) != options.skip.end();
    if (!result.skipped) {
      const auto start = std::chrono::steady_clock::now();
      result.changes = run_checked(graph, step, options);
      result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
    phase.advance(1, step.name);
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace adze::rewrite
