#include "adze/plan/arena.h"

#include <algorithm>
#include <numeric>

#include "adze/base/checked.h"
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

ArenaLayout place_by_size(std::span<const ArenaBlock> blocks, std::int64_t alignment) {
  ArenaLayout layout;
  layout.offsets.assign(blocks.size(), 0);
  layout.lower_bound = peak_bytes(blocks);
  std::vector<std::size_t> by_size(blocks.size());
  std::iota(by_size.begin(), by_size.end(), std::size_t{0});
  std::stable_sort(by_size.begin(), by_size.end(),
                   [&](std::size_t a, std::size_t b) { return blocks[a].bytes > blocks[b].bytes; });
  std::vector<std::size_t> placed;
  std::vector<std::pair<std::int64_t, std::int64_t>> neighbours;
  for (const std::size_t i : by_size) {
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

}  // namespace

ArenaLayout place_blocks(std::span<const ArenaBlock> blocks, std::int64_t alignment, std::int64_t search_nodes) {
  ArenaLayout layout = place_by_size(blocks, alignment);
  layout.proved = layout.bytes == round_up(layout.lower_bound, alignment);
  if (!layout.proved && search_nodes > 0) search_placement(blocks, alignment, search_nodes, layout);
  return layout;
}

}  // namespace adze
