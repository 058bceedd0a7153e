#include "adze/plan/arena.h"

#include <algorithm>
#include <numeric>

#include "adze/base/checked.h"
#include "adze/base/progress.h"
#include "adze/base/random.h"
#include "adze/plan/arena_search.h"

namespace adze {

namespace {

bool alive_together(const ArenaBlock& a, const ArenaBlock& b) {
  return a.first <= b.last && b.first <= a.last;
}

std::int64_t round_up(std::int64_t bytes, std::int64_t alignment) {
  return checked_add(bytes, alignment - 1, "arena size") / alignment * alignment;
}

/// The largest sum of bytes over blocks alive at one step.
std::int64_t peak_bytes(std::span<const ArenaBlock> blocks) {
  struct Event {
    std::int32_t step;
    std::int64_t change;
  };
  std::vector<Event> events;
  for (const ArenaBlock& block : blocks) {
    events.push_back({block.first, block.bytes});
    events.push_back({block.last + 1, -block.bytes});
  }
  std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
    return a.step != b.step ? a.step < b.step : a.change < b.change;  // what ends is freed before what begins
  });
  std::int64_t alive = 0, peak = 0;
  for (const Event& event : events) {
    alive = checked_add(alive, event.change, "activation size");
    peak = std::max(peak, alive);
  }
  return peak;
}

/// The lowest aligned offset at which bytes fit between the neighbours, which are sorted by offset.
std::int64_t first_gap(std::span<const std::pair<std::int64_t, std::int64_t>> neighbours, std::int64_t bytes,
                       std::int64_t alignment) {
  std::int64_t offset = 0;
  for (const auto& [begin, end] : neighbours) {
    if (checked_add(offset, bytes, "arena size") <= begin) break;
    offset = std::max(offset, round_up(end, alignment));
  }
  return offset;
}

/// Each block, in this order, into the lowest gap that fits.
ArenaLayout place_in_order(std::span<const ArenaBlock> blocks, std::span<const std::size_t> order,
                           std::int64_t alignment) {
  ArenaLayout layout;
  layout.offsets.assign(blocks.size(), 0);
  std::vector<std::size_t> placed;
  std::vector<std::pair<std::int64_t, std::int64_t>> neighbours;
  for (const std::size_t i : order) {
    if (blocks[i].bytes == 0) continue;
    neighbours.clear();
    for (const std::size_t j : placed) {
      if (alive_together(blocks[i], blocks[j])) {
        neighbours.emplace_back(layout.offsets[j], layout.offsets[j] + blocks[j].bytes);
      }
    }
    std::sort(neighbours.begin(), neighbours.end());
    layout.offsets[i] = first_gap(neighbours, blocks[i].bytes, alignment);
    layout.bytes = std::max(layout.bytes, checked_add(layout.offsets[i], blocks[i].bytes, "arena size"));
    placed.push_back(i);
  }
  layout.bytes = round_up(layout.bytes, alignment);
  return layout;
}

/// Places again and again, each time beginning with the blocks that reached the top, now and then with a random one:
/// what was hard to place gets its place early. Each placement counts as one decision a block.
/// Source  Joslin and Clements, Squeaky Wheel Optimization, 1999
void repair_order(std::span<const ArenaBlock> blocks, std::vector<std::size_t> order, std::int64_t alignment,
                  std::int64_t decisions, ArenaLayout& best) {
  Random random(1);
  const std::int64_t goal = round_up(best.lower_bound, alignment);
  std::vector<std::int64_t> offsets = best.offsets;
  std::int64_t top = best.bytes;
  for (; decisions > 0 && best.bytes > goal; decisions -= std::ssize(blocks)) {
    check_cancelled();
    if (random.below(4) == 0) {
      const auto lucky = order.begin() + static_cast<std::ptrdiff_t>(random.below(order.size()));
      std::rotate(order.begin(), lucky, lucky + 1);
    }
    std::stable_partition(order.begin(), order.end(),
                          [&](std::size_t i) { return round_up(offsets[i] + blocks[i].bytes, alignment) == top; });
    const ArenaLayout layout = place_in_order(blocks, order, alignment);
    offsets = layout.offsets;
    top = layout.bytes;
    if (layout.bytes >= best.bytes) continue;
    best.bytes = layout.bytes;
    best.offsets = layout.offsets;
  }
}

}  // namespace

ArenaLayout place_blocks(std::span<const ArenaBlock> blocks, std::int64_t alignment, std::int64_t search_nodes) {
  std::vector<std::size_t> by_size(blocks.size());
  std::iota(by_size.begin(), by_size.end(), std::size_t{0});
  std::stable_sort(by_size.begin(), by_size.end(),
                   [&](std::size_t a, std::size_t b) { return blocks[a].bytes > blocks[b].bytes; });
  const std::int64_t bound = peak_bytes(blocks);
  ArenaLayout layout = place_in_order(blocks, by_size, alignment);
  layout.lower_bound = bound;
  layout.proved = layout.bytes == round_up(bound, alignment);
  if (layout.proved || search_nodes <= 0) return layout;
  repair_order(blocks, std::move(by_size), alignment, search_nodes / 2, layout);
  search_placement(blocks, alignment, search_nodes - search_nodes / 2, layout);
  return layout;
}

}  // namespace adze
