// Placement in several memories: nothing lies across two, the busiest blocks lie in the fastest.
#include "adze/plan/arena_memories.h"

#include <gtest/gtest.h>

#include "adze/base/random.h"

namespace adze {
namespace {

TEST(PlaceInMemories, UsesTheFirstAloneWhereEverythingFits) {
  const std::vector<ArenaBlock> blocks{{40, 0, 1}, {60, 1, 2}, {40, 2, 3}};
  const std::vector<std::int64_t> memories{100, 1000};
  const MemoriesLayout found = place_in_memories(blocks, std::vector<double>(3, 1.0), memories, 4, 100);
  EXPECT_EQ(found.used, (std::vector<std::int64_t>{100, 0}));
  EXPECT_EQ(found.slow_traffic, 0);
  EXPECT_EQ(found.layout.bytes, 100);
}

TEST(PlaceInMemories, KeepsTheBusiestBlocksFast) {
  const std::vector<ArenaBlock> blocks{{80, 0, 2}, {80, 0, 2}, {20, 1, 1}};
  const std::vector<double> traffic{100, 300, 5000};
  const std::vector<std::int64_t> memories{102, 1000};  // rounded down to 100
  const MemoriesLayout found = place_in_memories(blocks, traffic, memories, 4, 1000);
  EXPECT_GE(found.layout.offsets[0], 100);
  EXPECT_LT(found.layout.offsets[1], 100);
  EXPECT_LT(found.layout.offsets[2], 100);
  EXPECT_EQ(found.slow_traffic, 100);
  EXPECT_EQ(found.used, (std::vector<std::int64_t>{100, 80}));
  EXPECT_EQ(found.excess, 0);
}

TEST(PlaceInMemories, SaysWhatTheLastOneLacks) {
  const std::vector<ArenaBlock> blocks{{80, 0, 2}, {80, 0, 2}};
  const MemoriesLayout found =
      place_in_memories(blocks, std::vector<double>{1, 1}, std::vector<std::int64_t>{80, 60}, 4, 1000);
  EXPECT_EQ(found.excess, 20);
}

TEST(PlaceInMemories, PutsNothingAcrossABorderOrOverAnother) {
  Random random(3);
  for (int round = 0; round < 40; ++round) {
    std::vector<ArenaBlock> blocks;
    std::vector<double> traffic;
    for (std::int32_t i = 0; i < 12; ++i) {
      const auto first = static_cast<std::int32_t>(random.below(10));
      blocks.push_back(
          {static_cast<std::int64_t>(1 + random.below(60)), first, first + static_cast<std::int32_t>(random.below(4))});
      traffic.push_back(static_cast<double>(random.below(1000)));
    }
    const std::vector<std::int64_t> memories{64, 96, 4096};
    const MemoriesLayout found = place_in_memories(blocks, traffic, memories, 4, 500);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const std::int64_t at = found.layout.offsets[i], end = at + blocks[i].bytes;
      EXPECT_EQ(at % 4, 0);
      for (const std::int64_t border : {64, 160}) EXPECT_FALSE(at < border && end > border) << round;
      for (std::size_t j = 0; j < i; ++j) {
        const bool together = blocks[i].first <= blocks[j].last && blocks[j].first <= blocks[i].last;
        const bool apart = end <= found.layout.offsets[j] || found.layout.offsets[j] + blocks[j].bytes <= at;
        EXPECT_TRUE(!together || apart) << round;
      }
    }
  }
}

}  // namespace
}  // namespace adze
