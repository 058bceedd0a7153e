// The distances at which an output may be written behind the reading of its input: safe, and not a byte more.
#include "adze/emit/c/overlap.h"

#include <gtest/gtest.h>

#include "adze/base/random.h"

namespace adze::emit {
namespace {

WindowWalk random_walk(Random& random) {
  const auto some = [&](int from, int to) {
    return from + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(to - from + 1)));
  };
  WindowWalk walk;
  walk.kernel_h = some(1, 3), walk.kernel_w = some(1, 4);
  walk.stride_h = some(1, 3), walk.stride_w = some(1, 3);
  walk.dilation_h = some(1, 2), walk.dilation_w = some(1, 2);
  walk.pad_top = some(0, static_cast<int>(walk.kernel_h - 1)),
  walk.pad_left = some(0, static_cast<int>(walk.kernel_w - 1));
  walk.in_h = some(4, 9), walk.in_w = some(6, 9);
  walk.in_c = some(1, 4), walk.out_c = some(1, 5);
  walk.out_h = (walk.in_h + 2 * walk.pad_top - walk.dilation_h * (walk.kernel_h - 1) - 1) / walk.stride_h + 1;
  walk.out_w = (walk.in_w + 2 * walk.pad_left - walk.dilation_w * (walk.kernel_w - 1) - 1) / walk.stride_w + 1;
  return walk;
}

/// Is a byte of the input read that lies before the end of what has been written, with the output `distance` bytes
/// before the input?
bool spoils(const WindowWalk& walk, std::int64_t distance, std::int64_t together, bool after_reading) {
  const std::int64_t pixels = walk.out_h * walk.out_w;
  std::int64_t written = 0;  // of the output
  for (std::int64_t first = 0; first < pixels; first += together) {
    const std::int64_t last = std::min(pixels, first + together);
    const std::int64_t before = after_reading ? written : last * walk.out_c;
    for (std::int64_t pixel = first; pixel < last; ++pixel) {
      for (std::int64_t kh = 0; kh < walk.kernel_h; ++kh) {
        for (std::int64_t kw = 0; kw < walk.kernel_w; ++kw) {
          const std::int64_t row = pixel / walk.out_w * walk.stride_h - walk.pad_top + kh * walk.dilation_h;
          const std::int64_t column = pixel % walk.out_w * walk.stride_w - walk.pad_left + kw * walk.dilation_w;
          if (row < 0 || row >= walk.in_h || column < 0 || column >= walk.in_w) continue;
          if (before > 0 && (row * walk.in_w + column) * walk.in_c + distance < before) return true;
        }
      }
    }
    written = last * walk.out_c;
  }
  return false;
}

TEST(PixelDistance, IsTheLeastThatSpoilsNothing) {
  Random random(5);
  for (int round = 0; round < 300; ++round) {
    const WindowWalk walk = random_walk(random);
    for (const bool after_reading : {true, false}) {
      const std::int64_t together = after_reading ? 4 : 1;
      const std::int64_t distance = pixel_distance(walk, together, after_reading);
      EXPECT_FALSE(spoils(walk, distance, together, after_reading)) << round;
      const bool least = distance == -walk.in_bytes() || spoils(walk, distance - 1, together, after_reading);
      EXPECT_TRUE(least) << round;
    }
  }
}

TEST(BlockDistance, IsTheLeastThatSpoilsNothing) {
  Random random(7);
  for (int round = 0; round < 100; ++round) {
    WindowWalk walk = random_walk(random);
    walk.kernel_h = walk.kernel_w = walk.stride_h = walk.stride_w = 1;
    walk.pad_top = walk.pad_left = 0;
    walk.out_h = walk.in_h, walk.out_w = walk.in_w;
    const std::int64_t distance = block_distance(walk, 16);
    EXPECT_FALSE(spoils(walk, distance, 16, false)) << round;
    EXPECT_TRUE(spoils(walk, distance - 1, 16, false)) << round;
  }
}

TEST(RowDistance, CountsTheRowsThatWereCopiedAway) {
  WindowWalk same;  // 3 x 3 depthwise: row y is written when row y + 1 has been copied away
  same.in_h = same.out_h = 6, same.in_w = same.out_w = 5, same.in_c = same.out_c = 4;
  same.kernel_h = same.kernel_w = 3, same.pad_top = same.pad_left = 1;
  EXPECT_EQ(row_distance(same), -20);
  WindowWalk wide = same;  // twice the bytes
  wide.out_c = 8;
  EXPECT_EQ(row_distance(wide), 4 * 40 - 5 * 20);
  Random random(6);
  for (int round = 0; round < 100; ++round) {
    const WindowWalk walk = random_walk(random);
    EXPECT_LT(row_distance(walk), pixel_distance(walk, walk.out_w, true) + walk.in_w * walk.in_c) << round;
  }
}

}  // namespace
}  // namespace adze::emit
