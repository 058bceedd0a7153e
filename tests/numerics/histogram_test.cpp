#include "adze/numerics/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "adze/base/random.h"

namespace adze {
namespace {

std::vector<float> normal_values(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.normal() * std::exp(random.normal()));
  return values;
}

TEST(Histogram, IsTheSameForEveryOrderAndBatching) {
  std::vector<float> values = normal_values(20000, 1);
  values[77] = 1e30F;
  values[78] = 1e-30F;
  values[79] = 0;
  Histogram at_once;
  at_once.add(values);
  std::reverse(values.begin(), values.end());
  Histogram in_batches;
  for (std::size_t start = 0; start < values.size(); start += 999) {
    in_batches.add(std::span(values).subspan(start, std::min<std::size_t>(999, values.size() - start)));
  }
  EXPECT_EQ(at_once, in_batches);
}

TEST(Histogram, MergesExactly) {
  const std::vector<float> a = normal_values(5000, 2);
  std::vector<float> b = normal_values(3000, 3);
  for (float& value : b) value *= 1e9F;  // the windows differ by 30 octaves
  Histogram both;
  both.add(a);
  both.add(b);
  Histogram left, right;
  left.add(a);
  right.add(b);
  Histogram ab = left, ba = right;
  ab.merge(right);
  ba.merge(left);
  EXPECT_EQ(ab, both);
  EXPECT_EQ(ba, both);
  Histogram empty;
  empty.merge(both);
  EXPECT_EQ(empty, both);
}

TEST(Histogram, CountsEveryFiniteValueOnce) {
  std::vector<float> values = normal_values(4000, 4);
  values.insert(values.end(), {0.0F, -0.0F, std::numeric_limits<float>::max(), std::numeric_limits<float>::denorm_min(),
                               std::numeric_limits<float>::infinity(), std::nanf("")});
  Histogram histogram;
  histogram.add(values);
  EXPECT_EQ(histogram.count(), 4004);
  EXPECT_EQ(histogram.zeros(), 2);
  EXPECT_EQ(histogram.non_finite(), 2);
  std::int64_t total = 0;
  double previous = -std::numeric_limits<double>::infinity();
  for (const Histogram::Bin& bin : histogram.bins()) {
    EXPECT_LE(previous, bin.low);
    EXPECT_LE(bin.low, bin.high);
    previous = bin.high;
    total += bin.count;
  }
  EXPECT_EQ(total, 4004);
  EXPECT_EQ(histogram.max(), std::numeric_limits<float>::max());
}

TEST(Histogram, QuantilesAgreeWithSorting) {
  std::vector<float> values = normal_values(30001, 5);
  Histogram histogram;
  histogram.add(values);
  std::sort(values.begin(), values.end());
  for (const double fraction : {0.0001, 0.01, 0.25, 0.5, 0.9, 0.999, 0.9999}) {
    const double exact = values[static_cast<std::size_t>(fraction * static_cast<double>(values.size()))];
    EXPECT_NEAR(histogram.quantile(fraction), exact, 0.02 * std::abs(exact) + 1e-3) << fraction;
  }
  EXPECT_EQ(histogram.quantile(0), values.front());
  EXPECT_EQ(histogram.quantile(1), values.back());
}

TEST(Histogram, AHugeOutlierCostsNoResolution) {
  std::vector<float> values = normal_values(10000, 6);
  Histogram plain, with_outlier;
  plain.add(values);
  values.push_back(1e4F);
  with_outlier.add(values);
  EXPECT_NEAR(with_outlier.quantile(0.5), plain.quantile(0.5), 1e-2);
  EXPECT_NEAR(with_outlier.quantile(0.99), plain.quantile(0.99), 1e-1);
  EXPECT_NEAR(with_outlier.fraction_outside(-1e3, 1e3), 1.0 / 10001, 1e-9);
}

TEST(Histogram, UniformKeepsTheCounts) {
  const std::vector<float> values = normal_values(10000, 7);
  Histogram histogram;
  histogram.add(values);
  const std::vector<double> uniform = histogram.uniform(histogram.min(), histogram.max(), 128);
  EXPECT_NEAR(std::accumulate(uniform.begin(), uniform.end(), 0.0), 10000, 1e-6);
  const double width = (histogram.max() - histogram.min()) / 128;
  const auto at_or_below =
      std::count_if(values.begin(), values.end(), [&](float value) { return value < histogram.min() + 64 * width; });
  EXPECT_NEAR(std::accumulate(uniform.begin(), uniform.begin() + 64, 0.0), static_cast<double>(at_or_below), 20);
}

TEST(Histogram, OfEqualValuesIsOnePoint) {
  Histogram histogram;
  histogram.add(std::vector<float>(10, 3.0F));
  ASSERT_EQ(histogram.bins().size(), 1U);
  EXPECT_EQ(histogram.quantile(0.3), 3.0);
  EXPECT_EQ(histogram.fraction_outside(0, 3), 0.0);
  EXPECT_EQ(histogram.fraction_outside(0, 2), 1.0);
  EXPECT_EQ(histogram.uniform(3, 3, 4)[0], 10.0);
  EXPECT_EQ(Histogram().quantile(0.5), 0.0);
}

}  // namespace
}  // namespace adze
