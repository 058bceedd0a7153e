#include "adze/quantize/allocate.h"

#include <gtest/gtest.h>

#include <cmath>

#include "adze/base/random.h"
#include "adze/quantize/curves.h"

namespace adze::quantize {
namespace {

/// Layers of random sizes at 2, 4 and 8 bits, whose damage falls about fourfold a bit.
std::vector<std::vector<Choice>> problem(std::uint64_t seed, std::size_t count) {
  Random random(seed);
  std::vector<std::vector<Choice>> layers;
  for (std::size_t i = 0; i < count; ++i) {
    const auto weights = static_cast<std::int64_t>(8 + random.below(200));
    std::vector<Choice>& layer = layers.emplace_back();
    for (const int bits : {2, 4, 8}) layer.push_back({weights * bits, random.uniform(0.5, 2) * std::pow(4.0, -bits)});
  }
  return layers;
}

double best_of_all(const std::vector<std::vector<Choice>>& layers, std::int64_t budget) {
  double best = 1e30;
  std::size_t combinations = 1;
  for (std::size_t i = 0; i < layers.size(); ++i) combinations *= 3;
  for (std::size_t code = 0; code < combinations; ++code) {
    std::int64_t cost = 0;
    double damage = 0;
    std::size_t rest = code;
    for (const auto& layer : layers) {
      cost += layer[rest % 3].cost;
      damage += layer[rest % 3].damage;
      rest /= 3;
    }
    if (cost <= budget) best = std::min(best, damage);
  }
  return best;
}

TEST(AllocateExactly, EqualsTryingEverything) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const auto layers = problem(seed, 7);
    const std::int64_t budget = 2000 + static_cast<std::int64_t>(seed) * 200;
    const Allocation found = allocate_exactly(layers, budget);
    ASSERT_EQ(found.chosen.size(), layers.size());
    EXPECT_LE(found.cost, budget);
    EXPECT_NEAR(found.damage, best_of_all(layers, budget), 1e-12);
  }
}

TEST(AllocateByMultiplier, IsNearTheBestAndBoundsIt) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const auto layers = problem(seed, 7);
    const std::int64_t budget = 3200;
    const Allocation found = allocate_by_multiplier(layers, budget);
    const double best = best_of_all(layers, budget);
    EXPECT_LE(found.cost, budget);
    EXPECT_LE(found.bound, best * (1 + 1e-9));
    EXPECT_LE(found.damage, 6 * best);
  }
}

TEST(Allocate, SaysWhenNothingFits) {
  const auto layers = problem(3, 4);
  EXPECT_TRUE(allocate_exactly(layers, 10).chosen.empty());
  EXPECT_TRUE(allocate_by_multiplier(layers, 10).chosen.empty());
}

TEST(Curves, AreReadAsTheyWereWritten) {
  const std::vector<LayerCurve> curves{{"a", 10, 100, {{2, 0.5}, {4, 0.01}}}, {"b", 7, 0, {{8, 1e-7}}}};
  std::string key;
  const auto back = parse_curves(print_curves(curves, "k"), key);
  EXPECT_EQ(key, "k");
  ASSERT_EQ(back.size(), 2U);
  EXPECT_EQ(back[0].points[1].damage, 0.01);
  EXPECT_EQ(back[1].points[0].bits, 8);
  EXPECT_THROW(parse_curves("{}", key), ModelError);
}

}  // namespace
}  // namespace adze::quantize
