#include "adze/plan/arena_placer.h"

#include <algorithm>

#include "adze/base/checked.h"

namespace adze {

namespace {

bool alive_together(const ArenaBlock& a, const ArenaBlock& b) {
  return a.first <= b.last && b.first <= a.last;
}

}  // namespace

std::int64_t rounded_up(std::int64_t bytes, std::int64_t alignment) {
  return checked_add(bytes, alignment - 1, "arena size") / alignment * alignment;
}

ArenaPlacer::ArenaPlacer(std::span<const ArenaBlock> blocks, std::span<const ArenaOverlap> overlaps,
                         std::int64_t alignment, std::span<const std::int64_t> borders)
    : blocks_(blocks), overlaps_(overlaps), alignment_(alignment), borders_(borders), of_block_(blocks.size()) {
  for (std::size_t i = 0; i < overlaps.size(); ++i) {
    of_block_[overlaps[i].input].push_back(i);
    of_block_[overlaps[i].output].push_back(i);
  }
}

ArenaLayout ArenaPlacer::place(std::span<const std::size_t> order) const {
  ArenaLayout layout;
  layout.offsets.assign(blocks_.size(), 0);
  std::vector<std::size_t> placed;
  std::vector<Taken> taken;
  for (const std::size_t i : order) {
    if (blocks_[i].bytes == 0) continue;
    taken.clear();
    for (const std::int64_t border : borders_) taken.push_back({border - blocks_[i].bytes, border});
    for (const std::size_t j : placed) {
      if (alive_together(blocks_[i], blocks_[j])) take(i, j, layout.offsets[j], taken);
    }
    layout.offsets[i] = lowest_free(taken);
    layout.bytes = std::max(layout.bytes, checked_add(layout.offsets[i], blocks_[i].bytes, "arena size"));
    placed.push_back(i);
  }
  layout.bytes = rounded_up(layout.bytes, alignment_);
  return layout;
}

/// The offsets of block i that block j, which lies at offset, makes impossible.
void ArenaPlacer::take(std::size_t i, std::size_t j, std::int64_t offset, std::vector<Taken>& taken) const {
  std::int64_t low = offset - blocks_[i].bytes, high = checked_add(offset, blocks_[j].bytes, "arena size");
  for (const std::size_t at : of_block_[i]) {
    const ArenaOverlap& overlap = overlaps_[at];
    const bool is_output = overlap.output == i && overlap.input == j;
    if (!is_output && !(overlap.input == i && overlap.output == j)) continue;
    const std::int64_t meets = std::clamp(is_output ? offset - overlap.distance : offset + overlap.distance, low, high);
    if (overlap.exact) {
      taken.push_back({low, meets});
      low = meets;
    } else if (is_output) {
      low = meets;
    } else {
      high = meets;
    }
  }
  taken.push_back({low, high});
}

std::int64_t ArenaPlacer::lowest_free(std::vector<Taken>& taken) const {
  std::sort(taken.begin(), taken.end(), [](const Taken& a, const Taken& b) { return a.low < b.low; });
  std::int64_t offset = 0;
  for (const auto& [low, high] : taken) {
    if (offset > low && offset < high) offset = rounded_up(high, alignment_);
  }
  return offset;
}

}  // namespace adze
