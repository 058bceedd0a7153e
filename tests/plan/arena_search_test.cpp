#include "adze/plan/arena_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "adze/base/random.h"

namespace adze {
namespace {

bool alive_together(const ArenaBlock& a, const ArenaBlock& b) {
  return a.first <= b.last && b.first <= a.last;
}

std::vector<ArenaBlock> random_blocks(Random& random, int count, int steps, int most_bytes) {
  std::vector<ArenaBlock> blocks;
  for (int i = 0; i < count; ++i) {
    const auto first = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(steps)));
    const auto last = first + static_cast<std::int32_t>(random.below(4));
    blocks.push_back({static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(most_bytes))), first, last});
  }
  return blocks;
}

/// The smallest arena by trying every order: each block onto the highest one below it.
std::int64_t smallest_arena(std::span<const ArenaBlock> blocks) {
  std::vector<std::size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::int64_t best = -1;
  do {
    std::vector<std::int64_t> ends(blocks.size(), 0);
    std::int64_t arena = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
      std::int64_t offset = 0;
      for (std::size_t j = 0; j < i; ++j) {
        if (alive_together(blocks[order[i]], blocks[order[j]])) offset = std::max(offset, ends[order[j]]);
      }
      ends[order[i]] = offset + blocks[order[i]].bytes;
      arena = std::max(arena, ends[order[i]]);
    }
    if (best < 0 || arena < best) best = arena;
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}

TEST(SearchPlacement, FindsTheSmallestArenaOfSmallProblems) {
  Random random(3);
  int improved = 0;
  for (int round = 0; round < 300; ++round) {
    const std::vector<ArenaBlock> blocks = random_blocks(random, 7, 6, 12);
    ArenaLayout layout;  // as bad as can be: everything is left to the search
    for (const ArenaBlock& block : blocks) {
      layout.offsets.push_back(layout.bytes);
      layout.bytes += block.bytes;
    }
    search_placement(blocks, 1, 1'000'000, layout);
    EXPECT_TRUE(layout.proved);
    EXPECT_EQ(layout.bytes, smallest_arena(blocks)) << "round " << round;
    EXPECT_LE(place_blocks(blocks, 1, 1'000).bytes, place_blocks(blocks, 1).bytes);
    if (layout.bytes < place_blocks(blocks, 1).bytes) ++improved;
  }
  EXPECT_GT(improved, 0);
}

TEST(SearchPlacement, KeepsBlocksThatAreAliveTogetherApart) {
  Random random(11);
  for (int round = 0; round < 40; ++round) {
    const std::vector<ArenaBlock> blocks = random_blocks(random, 40, 30, 500);
    const ArenaLayout first = place_blocks(blocks, 16);
    const ArenaLayout layout = place_blocks(blocks, 16, 2'000);
    EXPECT_GE(layout.bytes, layout.lower_bound);
    EXPECT_LE(layout.bytes, first.bytes);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      EXPECT_EQ(layout.offsets[i] % 16, 0);
      EXPECT_LE(layout.offsets[i] + blocks[i].bytes, layout.bytes);
      for (std::size_t j = 0; j < i; ++j) {
        if (!alive_together(blocks[i], blocks[j]) || blocks[i].bytes == 0 || blocks[j].bytes == 0) continue;
        EXPECT_TRUE(layout.offsets[i] + blocks[i].bytes <= layout.offsets[j] ||
                    layout.offsets[j] + blocks[j].bytes <= layout.offsets[i]);
      }
    }
  }
}

/// The tensors of MobileNetV1 0.25 at 96 x 96. Placing by size leaves a hole below the largest.
TEST(PlaceBlocks, NeedsNoMoreThanTheLowerBoundForAChainOfEqualSizes) {
  const std::vector<std::int64_t> sizes = {27648, 18432, 18432, 36864, 9216, 18432, 18432, 18432, 4608, 9216,
                                           9216,  9216,  2304,  4608,  4608, 4608,  4608,  4608,  4608, 4608,
                                           4608,  4608,  4608,  4608,  1152, 2304,  2304,  2304,  256,  2};
  std::vector<ArenaBlock> blocks;
  for (std::int32_t i = 0; i < std::ssize(sizes); ++i) {
    blocks.push_back({sizes[static_cast<std::size_t>(i)], i == 0 ? 0 : i - 1, i});
  }
  const ArenaLayout layout = place_blocks(blocks, 4, 20'000);
  EXPECT_EQ(layout.lower_bound, 55296);
  EXPECT_EQ(layout.bytes, layout.lower_bound);
  EXPECT_TRUE(layout.proved);
}

TEST(SearchPlacement, GivesTheSameLayoutEachTimeAndKeepsToItsBudget) {
  Random random(5);
  const std::vector<ArenaBlock> blocks = random_blocks(random, 60, 40, 1000);
  EXPECT_EQ(place_blocks(blocks, 4, 3'000).offsets, place_blocks(blocks, 4, 3'000).offsets);
  EXPECT_EQ(place_blocks(blocks, 4, 0).bytes, place_blocks(blocks, 4).bytes);
}

}  // namespace
}  // namespace adze
