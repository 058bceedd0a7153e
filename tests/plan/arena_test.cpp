#include "adze/plan/arena.h"

#include <gtest/gtest.h>

#include <limits>

#include "adze/base/error.h"
#include "adze/base/random.h"

namespace adze {
namespace {

TEST(PlaceBlocks, ReusesMemoryOfBlocksThatHaveEnded) {
  const std::vector<ArenaBlock> blocks = {{100, 0, 1}, {50, 1, 2}, {100, 2, 3}};
  const ArenaLayout layout = place_blocks(blocks, 1);
  EXPECT_EQ(layout.bytes, 150);
  EXPECT_EQ(layout.lower_bound, 150);
  EXPECT_EQ(layout.offsets[0], layout.offsets[2]);
}

TEST(PlaceBlocks, KeepsBlocksThatAreAliveTogetherApart) {
  Random random(7);
  for (int round = 0; round < 50; ++round) {
    std::vector<ArenaBlock> blocks;
    for (int i = 0; i < 40; ++i) {
      const auto first = static_cast<std::int32_t>(random.below(30));
      const auto last = first + static_cast<std::int32_t>(random.below(6));
      blocks.push_back({static_cast<std::int64_t>(random.below(500)), first, last});
    }
    const ArenaLayout layout = place_blocks(blocks, 16);
    EXPECT_GE(layout.bytes, layout.lower_bound);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      EXPECT_EQ(layout.offsets[i] % 16, 0);
      EXPECT_LE(layout.offsets[i] + blocks[i].bytes, layout.bytes);
      for (std::size_t j = 0; j < i; ++j) {
        const bool together = blocks[i].first <= blocks[j].last && blocks[j].first <= blocks[i].last;
        if (!together || blocks[i].bytes == 0 || blocks[j].bytes == 0) continue;
        EXPECT_TRUE(layout.offsets[i] + blocks[i].bytes <= layout.offsets[j] ||
                    layout.offsets[j] + blocks[j].bytes <= layout.offsets[i]);
      }
    }
  }
}

/// Are the two at places that the overlap, or no overlap at all, allows?
bool allowed(const ArenaLayout& layout, const std::vector<ArenaBlock>& blocks, std::size_t i, std::size_t j,
             const std::vector<ArenaOverlap>& overlaps) {
  if (layout.offsets[i] + blocks[i].bytes <= layout.offsets[j]) return true;
  if (layout.offsets[j] + blocks[j].bytes <= layout.offsets[i]) return true;
  for (const ArenaOverlap& overlap : overlaps) {
    const bool these = (overlap.input == i && overlap.output == j) || (overlap.input == j && overlap.output == i);
    const std::int64_t before = layout.offsets[overlap.input] - layout.offsets[overlap.output];
    if (these && (overlap.exact ? before == overlap.distance : before >= overlap.distance)) return true;
  }
  return false;
}

TEST(PlaceBlocks, PutsAnOutputWhereItsInputHasBeenRead) {
  const std::vector<ArenaBlock> blocks = {{100, 0, 1}, {80, 1, 2}, {100, 2, 3}};
  EXPECT_EQ(place_blocks(blocks, 1, 1000, std::vector<ArenaOverlap>{{0, 1, 20, false}}).bytes, 180);
  const std::vector<ArenaOverlap> both = {{0, 1, 20, false}, {1, 2, 0, true}};
  const ArenaLayout layout = place_blocks(blocks, 1, 1000, both);
  EXPECT_EQ(layout.bytes, 120);
  EXPECT_EQ(layout.lower_bound, 120);
  EXPECT_TRUE(layout.proved);
  EXPECT_LE(layout.offsets[1] + 20, layout.offsets[0]);
  EXPECT_EQ(layout.offsets[1], layout.offsets[2]);
  const std::vector<ArenaOverlap> after = {{0, 1, -50, false}, {1, 2, -80, false}};
  EXPECT_EQ(place_blocks(blocks, 1, 1000, after).bytes, 100);
}

TEST(PlaceBlocks, KeepsTheDistancesOfRandomOverlaps) {
  Random random(11);
  for (int round = 0; round < 100; ++round) {
    std::vector<ArenaBlock> blocks;
    std::vector<ArenaOverlap> overlaps;
    for (int i = 0; i < 12; ++i) {
      blocks.push_back({static_cast<std::int64_t>(1 + random.below(300)), i, i + 1});
      if (i > 0 && random.below(3) != 0) {
        const auto last = static_cast<std::size_t>(i);
        overlaps.push_back({last - 1, last, static_cast<std::int64_t>(random.below(200)) - 50, random.below(4) == 0});
      }
    }
    const ArenaLayout layout = place_blocks(blocks, 1, 600, overlaps);
    EXPECT_GE(layout.bytes, layout.lower_bound);
    EXPECT_LE(layout.bytes, place_blocks(blocks, 1, 600).bytes);
    for (std::size_t i = 1; i < blocks.size(); ++i) EXPECT_TRUE(allowed(layout, blocks, i, i - 1, overlaps)) << i;
  }
}

TEST(PlaceBlocks, RefusesSizesThatOverflow) {
  const std::int64_t huge = std::numeric_limits<std::int64_t>::max() - 10;
  EXPECT_THROW(place_blocks(std::vector<ArenaBlock>{{huge, 0, 1}, {huge, 0, 1}}, 64), ModelError);
}

}  // namespace
}  // namespace adze
