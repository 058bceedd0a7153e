#include "adze/plan/order.h"

#include <algorithm>
#include <numeric>
#include <queue>

#include "adze/base/progress.h"
#include "adze/graph/edit.h"
#include "adze/plan/order_memory.h"

namespace adze {

namespace {

using Done = OrderMemory::Done;

/// A set of finished nodes, and the best way known to it.
struct State {
  Done done;
  std::int64_t in_use = 0, peak = 0;
  std::size_t count = 0;
  std::vector<std::size_t> run;  ///< nodes since the state before
  std::size_t before = 0;
};

class OrderSearch {
 public:
  explicit OrderSearch(const OrderMemory& memory) : memory_(memory) {}

  /// Nodes in the best order; empty when the looks did not suffice.
  std::vector<std::size_t> search(std::int64_t most_looks) {
    State start;
    start.done = memory_.nothing_done();
    start.in_use = start.peak = memory_.bytes_at_start();
    run_what_helps(start);
    add(std::move(start));
    while (!waiting_.empty()) {
      check_cancelled();
      const std::size_t at = waiting_.top().state;
      bound_ = waiting_.top().peak;
      waiting_.pop();
      if (states_[at].count == memory_.size()) return way_to(at);
      if (looks_ > most_looks) return {};
      for (std::size_t i = 0; i < memory_.size(); ++i) {
        if (OrderMemory::is_done(states_[at].done, i) || !memory_.is_ready(states_[at].done, i)) continue;
        ++looks_;
        State next;
        next.done = states_[at].done;
        next.in_use = states_[at].in_use, next.peak = states_[at].peak, next.count = states_[at].count;
        next.before = at;
        run(next, i);
        run_what_helps(next);
        add(std::move(next));
      }
    }
    return {};
  }

  /// The lowest peak among what was not searched: no order has less.
  std::int64_t bound() const { return bound_; }

 private:
  struct Entry {
    std::int64_t peak;
    std::size_t count, state;
    /// The lowest peak first, then what is nearest to the end, then what was found first.
    bool operator<(const Entry& other) const {
      if (peak != other.peak) return peak > other.peak;
      return count != other.count ? count < other.count : state > other.state;
    }
  };

  void run(State& state, std::size_t i) const {
    const OrderMemory::Effect effect = memory_.run(state.done, state.in_use, i);
    OrderMemory::set_done(state.done, i);
    state.peak = std::max(state.peak, effect.peak);
    state.in_use = effect.after;
    state.run.push_back(i);
    ++state.count;
  }

  /// A node that needs no more than the peak and frees what it takes can only help: whenever it runs later, it frees
  /// at most as much more as others have freed less.
  void run_what_helps(State& state) {
    for (std::size_t i = 0; i < memory_.size(); ++i) {
      if (OrderMemory::is_done(state.done, i) || !memory_.is_ready(state.done, i)) continue;
      const OrderMemory::Effect effect = memory_.run(state.done, state.in_use, i);
      ++looks_;
      if (effect.peak > state.peak || effect.after > state.in_use) continue;
      run(state, i);
      i = static_cast<std::size_t>(-1);  // others may be ready now
    }
  }

  void add(State state) {
    const auto [found, is_new] = known_.try_emplace(state.done, state.peak);
    if (!is_new && found->second <= state.peak) return;
    found->second = state.peak;
    waiting_.push({state.peak, state.count, states_.size()});
    states_.push_back(std::move(state));
  }

  std::vector<std::size_t> way_to(std::size_t at) const {
    std::vector<std::size_t> way;
    for (;; at = states_[at].before) {
      way.insert(way.begin(), states_[at].run.begin(), states_[at].run.end());
      if (at == 0) return way;
    }
  }

  const OrderMemory& memory_;
  std::vector<State> states_;
  std::map<Done, std::int64_t> known_;  ///< the peak of the best way
  std::priority_queue<Entry> waiting_;
  std::int64_t looks_ = 0, bound_ = 0;
};

/// Always the ready node that needs the least now, then the one that leaves the least, then the earliest.
std::vector<std::size_t> greedy_order(const OrderMemory& memory) {
  std::vector<std::size_t> order;
  Done done = memory.nothing_done();
  std::int64_t in_use = memory.bytes_at_start();
  while (order.size() < memory.size()) {
    std::size_t best = memory.size();
    OrderMemory::Effect least;
    for (std::size_t i = 0; i < memory.size(); ++i) {
      if (OrderMemory::is_done(done, i) || !memory.is_ready(done, i)) continue;
      const OrderMemory::Effect effect = memory.run(done, in_use, i);
      const auto key = [](const OrderMemory::Effect& of) { return std::pair(of.after, of.peak); };
      if (best == memory.size() || key(effect) < key(least)) best = i, least = effect;
    }
    OrderMemory::set_done(done, best);
    in_use = least.after;
    order.push_back(best);
  }
  return order;
}

std::int64_t peak_of(const OrderMemory& memory, const std::vector<std::size_t>& order) {
  Done done = memory.nothing_done();
  std::int64_t in_use = memory.bytes_at_start(), peak = in_use;
  for (const std::size_t i : order) {
    const OrderMemory::Effect effect = memory.run(done, in_use, i);
    OrderMemory::set_done(done, i);
    peak = std::max(peak, effect.peak);
    in_use = effect.after;
  }
  return peak;
}

}  // namespace

std::int64_t peak_of_order(const Graph& graph, const std::vector<NodeId>& order,
                           const std::map<NodeId, NodeMemory>& memory) {
  const OrderMemory of(graph, memory);
  std::map<NodeId, std::size_t> places;
  for (std::size_t i = 0; i < of.size(); ++i) places[of.node(i)] = i;
  std::vector<std::size_t> indices;
  for (const NodeId id : order) indices.push_back(places.at(id));
  return peak_of(of, indices);
}

MemoryOrder lowest_peak_order(const Graph& graph, const std::map<NodeId, NodeMemory>& memory, std::int64_t looks) {
  const OrderMemory of(graph, memory);
  std::vector<std::size_t> order(of.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  MemoryOrder result;
  result.peak_bytes = peak_of(of, order);
  result.lower_bound_bytes = std::min(of.least_peak(), result.peak_bytes);
  if (!result.proved()) {
    OrderSearch search(of);
    std::vector<std::size_t> found = search.search(looks);
    if (found.empty()) found = greedy_order(of);
    const std::int64_t peak = peak_of(of, found);
    if (peak < result.peak_bytes) {
      result.peak_bytes = peak;
      order = std::move(found);
    }
    result.lower_bound_bytes = std::min(result.peak_bytes, std::max(result.lower_bound_bytes, search.bound()));
  }
  for (const std::size_t i : order) result.order.push_back(of.node(i));
  return result;
}

}  // namespace adze
