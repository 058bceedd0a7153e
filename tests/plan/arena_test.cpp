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

TEST(PlaceBlocks, RefusesSizesThatOverflow) {
  const std::int64_t huge = std::numeric_limits<std::int64_t>::max() - 10;
  EXPECT_THROW(place_blocks(std::vector<ArenaBlock>{{huge, 0, 1}, {huge, 0, 1}}, 64), ModelError);
}

}  // namespace
}  // namespace adze
