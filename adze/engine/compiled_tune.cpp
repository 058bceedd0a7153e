#include <algorithm>
#include <chrono>

#include "adze/base/progress.h"
#include "adze/engine/compiled.h"

namespace adze::engine {

namespace {

struct TimedCandidate {
  std::string_view name;
  std::unique_ptr<Step> step;
  double seconds = 1e9;  ///< of the fastest run
};

/// Runs the candidates in turn, so that a disturbance meets all of them, until each had its time.
void time_candidates(std::vector<TimedCandidate>& candidates, double seconds_each) {
  if (candidates.size() < 2) return;
  const auto now = [] { return std::chrono::steady_clock::now(); };
  for (TimedCandidate& candidate : candidates) candidate.step->run();
  constexpr int least_runs = 3;
  const auto begin = now();
  for (int round = 0; round < least_runs || std::chrono::duration<double>(now() - begin).count() <
                                                seconds_each * static_cast<double>(candidates.size());
       ++round) {
    check_cancelled();
    for (TimedCandidate& candidate : candidates) {
      const auto run_begin = now();
      candidate.step->run();
      candidate.seconds = std::min(candidate.seconds, std::chrono::duration<double>(now() - run_begin).count());
    }
  }
}

}  // namespace

void Compiled::tune(const Settings& settings, TuneTable& table, double seconds_per_candidate) {
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    steps_[i]->run();  // so that the next ones find real data, in the caches that they will find it in
    const NodeId id = plan_.order[i];
    const Node& node = arranged_.graph.node(id);
    const auto entries = binders_of(node.kind);
    if (entries.size() < 2 || !is_bindable(node) || is_view(arranged_.graph, node)) continue;
    const std::string problem = problem_text(arranged_.graph, node, settings.isa, settings.threads);
    if (!table.find(problem).empty()) continue;
    std::vector<TimedCandidate> candidates;
    for (const BinderEntry& entry : entries) {
      if (auto step = bind_candidate(id, entry, settings)) candidates.push_back({entry.name, std::move(step)});
    }
    time_candidates(candidates, seconds_per_candidate);
    const auto best = std::min_element(candidates.begin(), candidates.end(),
                                       [](const auto& a, const auto& b) { return a.seconds < b.seconds; });
    if (best != candidates.end()) table.set(problem, std::string(best->name), 1e6 * best->seconds);
  }
}

}  // namespace adze::engine
