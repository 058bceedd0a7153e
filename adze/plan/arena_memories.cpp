#include "adze/plan/arena_memories.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "adze/base/progress.h"
#include "adze/base/random.h"
#include "adze/plan/arena_placer.h"

namespace adze {

namespace {

class MemoriesSearch {
 public:
  MemoriesSearch(std::span<const ArenaBlock> blocks, std::span<const double> traffic,
                 std::span<const std::int64_t> memory_bytes, std::int64_t alignment,
                 std::span<const ArenaOverlap> overlaps)
      : blocks_(blocks),
        traffic_(traffic),
        borders_(borders_of(memory_bytes, alignment)),
        placer_(blocks, overlaps, alignment, std::span(borders_).first(borders_.size() - 1)) {}

  void try_order(const std::vector<std::size_t>& order) {
    MemoriesLayout found = place(order);
    if (!best_order_.empty() && badness(found) > badness(best_)) return;
    best_ = std::move(found);
    best_order_ = order;
  }

  /// Blocks that lie in a slow memory come earlier, by chance; what is not worse stays.
  void improve(std::int64_t decisions) {
    Random random(1);
    for (; decisions > 0 && best_.slow_traffic + static_cast<double>(best_.excess) > 0;
         decisions -= std::max<std::int64_t>(1, std::ssize(blocks_))) {
      check_cancelled();
      std::vector<std::size_t> order = best_order_;
      std::vector<std::size_t> slow;
      for (std::size_t at = 0; at < order.size(); ++at) {
        if (best_.layout.offsets[order[at]] >= borders_[0] && blocks_[order[at]].bytes > 0) slow.push_back(at);
      }
      if (slow.empty()) return;
      const std::size_t from = slow[random.below(slow.size())], to = random.below(from + 1);
      const auto begin = order.begin();
      std::rotate(begin + static_cast<std::ptrdiff_t>(to), begin + static_cast<std::ptrdiff_t>(from),
                  begin + static_cast<std::ptrdiff_t>(from) + 1);
      try_order(order);
    }
  }

  MemoriesLayout take() { return std::move(best_); }

 private:
  static std::vector<std::int64_t> borders_of(std::span<const std::int64_t> memory_bytes, std::int64_t alignment) {
    std::vector<std::int64_t> borders;
    std::int64_t end = 0;
    for (const std::int64_t bytes : memory_bytes) borders.push_back(end += bytes / alignment * alignment);
    return borders;
  }

  static std::tuple<std::int64_t, double, std::int64_t> badness(const MemoriesLayout& of) {
    return {of.excess, of.slow_traffic, of.layout.bytes};
  }

  MemoriesLayout place(const std::vector<std::size_t>& order) const {
    MemoriesLayout found;
    found.layout = placer_.place(order);
    found.used.assign(borders_.size(), 0);
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      if (blocks_[i].bytes == 0) continue;
      const std::int64_t offset = found.layout.offsets[i];
      std::size_t memory = 0;
      while (memory + 1 < borders_.size() && offset >= borders_[memory]) ++memory;
      const std::int64_t begin = memory == 0 ? 0 : borders_[memory - 1];
      found.used[memory] = std::max(found.used[memory], offset + blocks_[i].bytes - begin);
      found.slow_traffic += static_cast<double>(memory) * traffic_[i];
    }
    found.excess = std::max<std::int64_t>(0, found.layout.bytes - borders_.back());
    found.layout.bytes = std::accumulate(found.used.begin(), found.used.end(), std::int64_t{0});
    return found;
  }

  std::span<const ArenaBlock> blocks_;
  std::span<const double> traffic_;
  std::vector<std::int64_t> borders_;  ///< where each memory ends
  ArenaPlacer placer_;
  std::vector<std::size_t> best_order_;
  MemoriesLayout best_;
};

std::vector<std::vector<std::size_t>> first_orders(std::span<const ArenaBlock> blocks,
                                                   std::span<const double> traffic) {
  std::vector<std::size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto density = [&](std::size_t i) {
    return traffic[i] / static_cast<double>(std::max<std::int64_t>(1, blocks[i].bytes));
  };
  std::vector<std::vector<std::size_t>> orders;
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return blocks[a].bytes > blocks[b].bytes; });
  orders.push_back(order);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return blocks[a].first > blocks[b].first; });
  orders.push_back(order);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return traffic[a] > traffic[b]; });
  orders.push_back(order);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return density(a) > density(b); });
  orders.push_back(order);
  return orders;
}

}  // namespace

MemoriesLayout place_in_memories(std::span<const ArenaBlock> blocks, std::span<const double> traffic,
                                 std::span<const std::int64_t> memory_bytes, std::int64_t alignment,
                                 std::int64_t search_nodes, std::span<const ArenaOverlap> overlaps) {
  MemoriesLayout one;
  one.layout = place_blocks(blocks, alignment, search_nodes, overlaps);
  one.used.assign(memory_bytes.size(), 0);
  one.used[0] = one.layout.bytes;
  if (one.layout.bytes <= memory_bytes[0] / alignment * alignment) return one;
  MemoriesSearch search(blocks, traffic, memory_bytes, alignment, overlaps);
  for (const auto& order : first_orders(blocks, traffic)) search.try_order(order);
  search.improve(search_nodes);
  MemoriesLayout found = search.take();
  found.layout.lower_bound = one.layout.lower_bound;
  found.layout.proved = found.layout.bytes == rounded_up(one.layout.lower_bound, alignment);
  return found;
}

}  // namespace adze
