#include "adze/plan/stream_choice.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "adze/base/progress.h"
#include "adze/graph/edit.h"
#include "adze/plan/order.h"
#include "adze/plan/stream_peaks.h"

namespace adze {

namespace {

constexpr std::int64_t far_too_much = std::numeric_limits<std::int64_t>::max();
/// Groups are not longer: looking at all of them costs the square of this.
constexpr std::int32_t most_stages = 40;
constexpr std::int64_t bands[] = {1, 2, 4, 8};
/// Memory that choices may take, relative to the least.
constexpr double allowances[] = {1.0, 1.02, 1.05, 1.1, 1.15, 1.2, 1.3, 1.45, 1.65, 1.9, 2.3, 3.0, 4.0};

class Chooser {
 public:
  explicit Chooser(StreamPeaks& peaks) : peaks_(peaks), steps_(peaks.steps()) {}

  /// The least peak of any division into groups.
  std::int64_t least_peak() {
    std::vector<std::int64_t> best(static_cast<std::size_t>(steps_) + 1, far_too_much);
    best[0] = 0;
    for (std::int32_t last = 0; last < steps_; ++last) {
      check_cancelled();
      std::int64_t& here = best[static_cast<std::size_t>(last) + 1];
      here = std::max(best[static_cast<std::size_t>(last)], peaks_.whole(last));
      for (std::int32_t first = last; is_candidate(first, last); --first) {
        const std::int64_t before = best[static_cast<std::size_t>(first)];
        if (std::max(before, peaks_.least(first, last)) >= here) continue;
        for (const bool anew : {false, true}) {
          const auto& need = peaks_.group({first, last, 1, anew});
          if (need) here = std::min(here, std::max(before, need->peak_bytes));
        }
      }
    }
    return best.back();
  }

  /// The division with the least work whose peak stays within the limit, at most so many rows a time.
  RowChoice cheapest(std::int64_t limit, std::int64_t most_rows = bands[std::size(bands) - 1]) {
    struct Best {
      double work = std::numeric_limits<double>::infinity();
      std::int64_t peak = 0;
      RowRange range{0, -1, 0};  ///< the last group; band 0: a step at once
    };
    std::vector<Best> best(static_cast<std::size_t>(steps_) + 1);
    best[0].work = 0;
    for (std::int32_t last = 0; last < steps_; ++last) {
      check_cancelled();
      Best& here = best[static_cast<std::size_t>(last) + 1];
      const auto consider = [&](const RowRange& range, std::int64_t peak, double extra) {
        const Best& before = best[static_cast<std::size_t>(range.first)];
        if (peak > limit || before.work + extra >= here.work) return;
        here = {before.work + extra, std::max(before.peak, peak), range};
      };
      consider({last, last, 0}, peaks_.whole(last), 0.0);
      bool too_much = false;
      for (std::int32_t first = last; is_candidate(first, last); --first) {
        too_much = too_much || peaks_.whole(first) > limit;
        if (!too_much || best[static_cast<std::size_t>(first)].work >= here.work) continue;
        if (peaks_.least(first, last) > limit) continue;
        for (const bool anew : {false, true}) {
          for (const std::int64_t band : bands) {
            if (band > most_rows) break;
            const auto& need = peaks_.group({first, last, band, anew});
            if (!need || need->peak_bytes > limit) break;
            consider({first, last, band, anew}, need->peak_bytes, need->extra_work);
          }
        }
      }
    }
    RowChoice choice;
    choice.extra_work = best.back().work;
    choice.peak_bytes = best.back().peak;
    for (std::int32_t end = steps_; end > 0;) {
      const RowRange& range = best[static_cast<std::size_t>(end)].range;
      if (range.band > 0) choice.groups.insert(choice.groups.begin(), range);
      end = range.first;
    }
    return choice;
  }

 private:
  bool is_candidate(std::int32_t first, std::int32_t last) const {
    return first >= 0 && last - first < most_stages && peaks_.can_run_by_rows(first);
  }

  StreamPeaks& peaks_;
  std::int32_t steps_;
};

}  // namespace

std::vector<RowChoice> row_choices(const Graph& graph, const std::vector<NodeId>& order,
                                   const std::map<NodeId, NodeMemory>& memory) {
  StreamPeaks peaks(graph, order, memory);
  Chooser chooser(peaks);
  const std::int64_t least = chooser.least_peak();
  std::vector<RowChoice> choices;
  const auto add = [&](RowChoice choice) {
    const bool known = std::any_of(choices.begin(), choices.end(),
                                   [&](const RowChoice& other) { return other.groups == choice.groups; });
    if (!known) choices.push_back(std::move(choice));
  };
  for (const double allowance : allowances) {
    // Fewer rows a time may be easier to place: an output then begins closer to its input.
    for (const std::int64_t most_rows : bands) {
      add(chooser.cheapest(static_cast<std::int64_t>(static_cast<double>(least) * allowance), most_rows));
    }
    if (choices.back().groups.empty()) return choices;
  }
  add(chooser.cheapest(far_too_much));
  return choices;
}

namespace {

struct Candidate {
  Plan plan;
  double work = 1.0;  ///< relative to every node run at once
};

/// Cycles that a byte costs in a memory behind the fastest, roughly: a wait state for each word.
constexpr double slow_byte_work = 0.25;

class PlanSearch {
 public:
  PlanSearch(const Graph& graph, PlanOptions options) : graph_(graph), options_(std::move(options)) {
    for (const auto& [node, memory] : options_.memory) {
      if (memory.work) work_ += memory.work(0);
    }
    lowest_ = lowest_peak_order(graph, options_.memory);
    orders_.push_back(topological_order(graph));
    if (lowest_.order != orders_[0]) orders_.push_back(lowest_.order);
  }

  void add_whole() {
    for (const auto& order : orders_) {
      options_.order = order;
      options_.groups.clear();
      add(0.0);
    }
  }

  void add_by_rows() {
    for (const auto& order : orders_) {
      options_.order = order;
      for (const RowChoice& choice : row_choices(graph_, order, options_.memory)) {
        options_.groups = choice.groups;
        add(choice.extra_work);
      }
    }
  }

  bool one_fits() const {
    return std::any_of(plans_.begin(), plans_.end(), [](const Candidate& one) { return one.plan.memory_excess == 0; });
  }

  Plan best(PlanGoal goal) {
    std::int64_t smallest = far_too_much;
    for (const Candidate& one : plans_) smallest = std::min(smallest, one.plan.arena_bytes);
    const auto badness = [&](const Candidate& one) {
      const double memory =
          static_cast<double>(one.plan.arena_bytes) / static_cast<double>(std::max<std::int64_t>(1, smallest));
      const double worse = goal == PlanGoal::Balanced ? std::max(memory, one.work)
                           : goal == PlanGoal::Work   ? one.work
                                                      : memory;
      return std::tuple(one.plan.memory_excess, worse, memory, one.work);
    };
    const auto found = std::min_element(plans_.begin(), plans_.end(),
                                        [&](const auto& a, const auto& b) { return badness(a) < badness(b); });
    Plan plan = std::move(found->plan);
    plan.order_peak_bytes = peak_of_order(graph_, plan.order, options_.memory);
    plan.order_lower_bound_bytes = lowest_.lower_bound_bytes;
    return plan;
  }

 private:
  void add(double extra_work) {
    Plan plan = make_plan(graph_, options_);
    const double work = work_ + extra_work + slow_byte_work * plan.slow_traffic;
    plans_.push_back({std::move(plan), work / std::max(1.0, work_)});
  }

  const Graph& graph_;
  PlanOptions options_;
  double work_ = 0;  ///< every node run at once
  MemoryOrder lowest_;
  std::vector<std::vector<NodeId>> orders_;
  std::vector<Candidate> plans_;
};

}  // namespace

Plan make_plan_for(PlanGoal goal, const Graph& graph, PlanOptions options) {
  PlanSearch search(graph, std::move(options));
  search.add_whole();
  if (goal != PlanGoal::Work || !search.one_fits()) search.add_by_rows();
  return search.best(goal);
}

}  // namespace adze
