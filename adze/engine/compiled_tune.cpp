#include <algorithm>
#include <chrono>

#include "adze/base/progress.h"
#include "adze/engine/compiled.h"

namespace adze::engine {

namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Candidate {
  std::string_view name;
  std::unique_ptr<Step> step;
  double seconds = 1e9;  ///< of the fastest run
};

}  // namespace

/// A problem, and what could run it in the place of a step.
struct Compiled::Contest {
  std::size_t step;
  std::string problem;
  std::vector<Candidate> candidates;
};

std::vector<Compiled::Contest> Compiled::contests(const Settings& settings, const TuneTable& table) const {
  std::vector<Contest> result;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const NodeId id = plan_.order[i];
    const Node& node = arranged_.graph.node(id);
    const auto entries = binders_of(node.kind);
    if (entries.size() < 2 || !is_bindable(node) || is_view(arranged_.graph, node)) continue;
    std::string problem = problem_text(arranged_.graph, node, settings.isa, settings.compute, settings.threads);
    const bool known = !table.find(problem).empty() ||
                       std::ranges::any_of(result, [&](const Contest& contest) { return contest.problem == problem; });
    if (known) continue;
    Contest contest{i, std::move(problem), {}};
    for (const BinderEntry& entry : entries) {
      if (auto step = bind_candidate(id, entry, settings)) contest.candidates.push_back({entry.name, std::move(step)});
    }
    if (!contest.candidates.empty()) result.push_back(std::move(contest));
  }
  return result;
}

/// Each pass runs the whole network, with one candidate in each place, so that every run is timed in the caches that
/// the layers before it leave. Candidates take turns, two passes each: the second counts, which finds the candidate's
/// own weights where its last pass left them.
void Compiled::tune(const Settings& settings, TuneTable& table, double seconds_per_candidate) {
  std::vector<Contest> open = contests(settings, table);
  std::size_t most = 0, all = 0;
  for (const Contest& contest : open) {
    most = std::max(most, contest.candidates.size());
    all += contest.candidates.size();
  }
  if (most > 1) {
    constexpr std::size_t least_turns = 3;
    const double end = now() + seconds_per_candidate * static_cast<double>(all);
    for (std::size_t turn = 0; turn < least_turns * most || now() < end; ++turn) {
      run_contests(open, turn, false);
      run_contests(open, turn, true);
    }
  }
  for (const Contest& contest : open) {
    const auto best = std::ranges::min_element(contest.candidates, {}, &Candidate::seconds);
    table.set(contest.problem, std::string(best->name), contest.candidates.size() > 1 ? 1e6 * best->seconds : 0);
  }
}

void Compiled::run_contests(std::vector<Contest>& open, std::size_t turn, bool counts) {
  check_cancelled();
  auto next = open.begin();
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (next == open.end() || next->step != i) {
      steps_[i]->run();
      continue;
    }
    Candidate& candidate = next->candidates[turn % next->candidates.size()];
    const double begin = now();
    candidate.step->run();
    if (counts) candidate.seconds = std::min(candidate.seconds, now() - begin);
    ++next;
  }
}

}  // namespace adze::engine
