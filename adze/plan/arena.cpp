#include "adze/plan/arena.h"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>

#include "adze/base/checked.h"
#include "adze/base/progress.h"
#include "adze/base/random.h"
#include "adze/plan/arena_placer.h"
#include "adze/plan/arena_search.h"

namespace adze {

namespace {

/// What the blocks of one step take beside their plain sum: overlaps save, for each output at most its own bytes. An
/// output may not lie over all that its input may lie over: what remains without some of the inputs is a bound, too.
std::int64_t step_change(std::span<const ArenaBlock> blocks, std::span<const ArenaOverlap> overlaps) {
  std::vector<std::size_t> inputs;
  for (const ArenaOverlap& overlap : overlaps) {
    if (std::find(inputs.begin(), inputs.end(), overlap.input) == inputs.end()) inputs.push_back(overlap.input);
  }
  constexpr std::size_t most_inputs = 8;
  const std::size_t choices = std::size_t{1} << std::min(inputs.size(), most_inputs);
  std::int64_t most = std::numeric_limits<std::int64_t>::min();
  for (std::size_t without = 0; without < choices; ++without) {
    std::map<std::size_t, std::int64_t> by_output;
    std::int64_t change = 0;
    for (std::size_t i = 0; i < inputs.size() && i < most_inputs; ++i) {
      if ((without >> i & 1U) != 0) change -= blocks[inputs[i]].bytes;
    }
    for (const ArenaOverlap& overlap : overlaps) {
      const auto at = static_cast<std::size_t>(std::find(inputs.begin(), inputs.end(), overlap.input) - inputs.begin());
      if (at < most_inputs && (without >> at & 1U) != 0) continue;
      const std::int64_t in = blocks[overlap.input].bytes, out = blocks[overlap.output].bytes;
      by_output[overlap.output] += in + out - overlapped_bytes(in, out, overlap);
    }
    for (const auto& [output, bytes] : by_output) change -= std::min(bytes, blocks[output].bytes);
    most = std::max(most, change);
  }
  return most;
}

/// The most bytes needed at one step.
std::int64_t peak_bytes(std::span<const ArenaBlock> blocks, std::span<const ArenaOverlap> overlaps) {
  struct Event {
    std::int32_t step;
    std::int64_t change;
  };
  std::vector<Event> events;
  for (const ArenaBlock& block : blocks) {
    events.push_back({block.first, block.bytes});
    events.push_back({block.last + 1, -block.bytes});
  }
  std::map<std::int32_t, std::vector<ArenaOverlap>> by_step;
  for (const ArenaOverlap& overlap : overlaps) by_step[blocks[overlap.output].first].push_back(overlap);
  for (const auto& [step, there] : by_step) {
    const std::int64_t change = step_change(blocks, there);
    events.push_back({step, change});
    events.push_back({step + 1, -change});
  }
  std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return a.step < b.step; });
  std::int64_t alive = 0, peak = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    alive = checked_add(alive, events[i].change, "activation size");
    if (i + 1 == events.size() || events[i + 1].step != events[i].step) peak = std::max(peak, alive);
  }
  return peak;
}

/// Places again and again, each time beginning with the blocks that reached the top, now and then with a random one:
/// what was hard to place gets its place early. Each placement counts as one decision a block.
/// Source  Joslin and Clements, Squeaky Wheel Optimization, 1999
void repair_order(const ArenaPlacer& placer, std::span<const ArenaBlock> blocks, std::vector<std::size_t> order,
                  std::int64_t alignment, std::int64_t decisions, ArenaLayout& best) {
  Random random(1);
  const std::int64_t goal = rounded_up(best.lower_bound, alignment);
  std::vector<std::int64_t> offsets = best.offsets;
  std::int64_t top = best.bytes;
  for (; decisions > 0 && best.bytes > goal; decisions -= std::ssize(blocks)) {
    check_cancelled();
    if (random.below(4) == 0) {
      const auto lucky = order.begin() + static_cast<std::ptrdiff_t>(random.below(order.size()));
      std::rotate(order.begin(), lucky, lucky + 1);
    }
    std::stable_partition(order.begin(), order.end(),
                          [&](std::size_t i) { return rounded_up(offsets[i] + blocks[i].bytes, alignment) == top; });
    const ArenaLayout layout = placer.place(order);
    offsets = layout.offsets;
    top = layout.bytes;
    if (layout.bytes >= best.bytes) continue;
    best.bytes = layout.bytes;
    best.offsets = layout.offsets;
  }
}

}  // namespace

std::int64_t overlapped_bytes(std::int64_t input_bytes, std::int64_t output_bytes, const ArenaOverlap& overlap) {
  const std::int64_t apart = checked_add(input_bytes, output_bytes, "activation size");
  if (overlap.distance >= 0) return std::min(apart, std::max(input_bytes + overlap.distance, output_bytes));
  const std::int64_t behind = overlap.exact ? -overlap.distance : 0;
  return std::min(apart, std::max(input_bytes, output_bytes + behind));
}

ArenaLayout place_blocks(std::span<const ArenaBlock> blocks, std::int64_t alignment, std::int64_t search_nodes,
                         std::span<const ArenaOverlap> overlaps) {
  std::vector<std::size_t> by_size(blocks.size());
  std::iota(by_size.begin(), by_size.end(), std::size_t{0});
  std::stable_sort(by_size.begin(), by_size.end(),
                   [&](std::size_t a, std::size_t b) { return blocks[a].bytes > blocks[b].bytes; });
  const std::int64_t bound = peak_bytes(blocks, overlaps);
  const ArenaPlacer placer(blocks, overlaps, alignment);
  ArenaLayout layout = placer.place(by_size);
  layout.lower_bound = bound;
  if (!overlaps.empty()) {  // outputs before inputs: each starts below what it is computed from
    std::vector<std::size_t> latest = by_size;
    std::stable_sort(latest.begin(), latest.end(),
                     [&](std::size_t a, std::size_t b) { return blocks[a].first > blocks[b].first; });
    ArenaLayout other = placer.place(latest);
    if (other.bytes < layout.bytes) {
      layout.bytes = other.bytes;
      layout.offsets = std::move(other.offsets);
      by_size = std::move(latest);
    }
  }
  layout.proved = layout.bytes == rounded_up(bound, alignment);
  if (layout.proved || search_nodes <= 0) return layout;
  repair_order(placer, blocks, std::move(by_size), alignment, overlaps.empty() ? search_nodes / 2 : search_nodes,
               layout);
  if (overlaps.empty()) {
    search_placement(blocks, alignment, search_nodes - search_nodes / 2, layout);
  } else {
    layout.proved = layout.bytes == rounded_up(bound, alignment);
  }
  return layout;
}

}  // namespace adze
