#include "adze/base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace adze {
namespace {

/// xoshiro256** and splitmix64 written again from the paper.
struct Oracle {
  std::uint64_t s[4];
  explicit Oracle(std::uint64_t seed) {
    for (auto& word : s) {
      seed += 0x9e3779b97f4a7c15;
      std::uint64_t z = seed;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
      z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
      word = z ^ (z >> 31);
    }
  }
  static std::uint64_t rotl(std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
  std::uint64_t next() {
    const std::uint64_t result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
  }
};

TEST(Random, GivesTheStreamOfItsSeed) {
  Random random(42);
  Oracle oracle(42);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(random.next(), oracle.next());
  EXPECT_EQ(Random(0).next(), 0x99ec5f36cb75f2b4u);  // published first output of xoshiro256** seeded with splitmix64(0)
}

TEST(Random, StaysInItsRangesAndIsEven) {
  Random random(1);
  double sum = 0, squares = 0;
  std::int64_t counts[5] = {};
  for (int i = 0; i < 50000; ++i) {
    const double u = random.uniform();
    ASSERT_TRUE(u >= 0 && u < 1);
    const double x = random.normal();
    sum += x;
    squares += x * x;
    ++counts[random.below(5)];
  }
  EXPECT_NEAR(sum / 50000, 0, 0.02);
  EXPECT_NEAR(squares / 50000, 1, 0.03);
  for (const std::int64_t count : counts) EXPECT_NEAR(static_cast<double>(count), 10000, 400);
  EXPECT_EQ(random.below(1), 0u);
}

TEST(Random, SplitsIntoStreamsThatDoNotDependOnOrder) {
  const Random parent(3);
  Random a = parent.split(1), b = parent.split(2), again = parent.split(1);
  const std::uint64_t first = a.next();
  EXPECT_EQ(again.next(), first);
  EXPECT_NE(b.next(), first);
}

TEST(RandomPermutation, HoldsEveryIndexOnce) {
  Random random(5);
  std::vector<std::int64_t> order = random_permutation(1000, random);
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(std::set<std::int64_t>(order.begin(), order.end()).size(), 1000u);
  EXPECT_TRUE(random_permutation(0, random).empty());
}

}  // namespace
}  // namespace adze
