#include "adze/quantize/ranges.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "adze/base/random.h"
#include "adze/quantize/calibration.h"

namespace adze::quantize {
namespace {

const IntegerGrid asymmetric = activation_grid(DType::S8, false);
const IntegerGrid symmetric = activation_grid(DType::S8, true);

Histogram histogram_of(const std::vector<float>& values) {
  Histogram histogram;
  histogram.add(values);
  return histogram;
}

std::vector<float> normal_values(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.normal());
  return values;
}

/// Mean squared error over the values themselves.
double true_error(const std::vector<float>& values, const Range& range, const IntegerGrid& grid) {
  const AffineScale affine = scale_for_range(range.low, range.high, grid);
  double total = 0;
  for (const float value : values) {
    const double code = quantize_value(value, affine, grid);
    const double error = value - static_cast<double>(affine.scale) * (code - affine.zero_point);
    total += error * error;
  }
  return total / static_cast<double>(values.size());
}

TEST(ChooseRange, MaxIsEverythingSeenAndHoldsZero) {
  const Range range = choose_range(histogram_of({2, 3, 5}), Calibrator::Max, asymmetric, 99);
  EXPECT_EQ(range.low, 0);
  EXPECT_EQ(range.high, 5);
}

TEST(ChooseRange, OfConstantZeroIsEmptyForAll) {
  for (const auto calibrator : {Calibrator::Max, Calibrator::Percentile, Calibrator::Entropy, Calibrator::Mse}) {
    const Range range = choose_range(histogram_of({0, 0, 0}), calibrator, asymmetric, 99.9);
    EXPECT_EQ(range.low, 0);
    EXPECT_EQ(range.high, 0);
    const Range empty = choose_range(Histogram(), calibrator, asymmetric, 99.9);
    EXPECT_EQ(empty.low, empty.high);
  }
}

TEST(ChooseRange, LiesInsideWhatWasSeenForAll) {
  Random random(3);
  for (int i = 0; i < 20; ++i) {
    std::vector<float> values = normal_values(500, static_cast<std::uint64_t>(i));
    const auto shift = static_cast<float>(random.uniform(-3, 3));
    for (float& value : values) value += shift;
    const Histogram histogram = histogram_of(values);
    for (const auto calibrator : {Calibrator::Percentile, Calibrator::Entropy, Calibrator::Mse}) {
      for (const IntegerGrid& grid : {asymmetric, symmetric}) {
        const Range range = choose_range(histogram, calibrator, grid, 99);
        EXPECT_GE(range.low, std::min(histogram.min(), 0.0));
        EXPECT_LE(range.high, std::max(histogram.max(), 0.0));
        EXPECT_LT(range.low, range.high);
      }
    }
  }
}

TEST(ChooseRange, OfMostlyZerosFallsBackToEverything) {
  std::vector<float> values(100000, 0.0F);
  values[5] = 2;
  EXPECT_EQ(choose_range(histogram_of(values), Calibrator::Percentile, asymmetric, 99.9).high, 2);
}

TEST(PercentileRange, AgreesWithSorting) {
  std::vector<float> values = normal_values(100000, 4);
  const Range range = percentile_range(histogram_of(values), 99.9);
  std::sort(values.begin(), values.end());
  EXPECT_NEAR(range.low, values[100], 0.01);
  EXPECT_NEAR(range.high, values[99900], 0.01);
}

TEST(PercentileRange, OfARampCutsItsTop) {
  std::vector<float> values;
  for (int i = 1; i <= 10000; ++i) values.push_back(static_cast<float>(i));
  const Range range = percentile_range(histogram_of(values), 99);
  EXPECT_EQ(range.low, 0);
  EXPECT_NEAR(range.high, 9900, 10);
}

TEST(MseRange, EqualsExhaustiveSearchOverTheValues) {
  std::vector<float> values = normal_values(20000, 5);
  for (float& value : values) value = value > 0 ? value * value * value : 0;  // rectified, with a long tail
  const Histogram histogram = histogram_of(values);
  const Range found = mse_range(histogram, asymmetric);
  double least = 1e300;
  for (int step = 1; step <= 100; ++step) {
    least = std::min(least, true_error(values, {0, histogram.max() * step / 100}, asymmetric));
  }
  EXPECT_NEAR(true_error(values, found, asymmetric), least, 0.01 * least);
  EXPECT_LT(found.high, histogram.max());
}

TEST(MseRange, IsNeverWorseThanMax) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const std::vector<float> values = normal_values(5000, seed);
    const Histogram histogram = histogram_of(values);
    for (const IntegerGrid& grid : {asymmetric, symmetric}) {
      const double error = true_error(values, mse_range(histogram, grid), grid);
      EXPECT_LE(error, 1.001 * true_error(values, {histogram.min(), histogram.max()}, grid));
    }
  }
}

TEST(MseRange, GivesUpAnOutlierWhenItIsWorthIt) {
  std::vector<float> values = normal_values(200000, 6);
  values[0] = 20;  // clipping it costs less than the coarser steps for all the others
  const Range range = mse_range(histogram_of(values), symmetric);
  EXPECT_LT(range.high, 15);
  EXPECT_NEAR(
      expected_squared_error(histogram_of(values), scale_for_range(range.low, range.high, symmetric), symmetric),
      true_error(values, range, symmetric), 1e-4);
}

TEST(EntropyRange, KeepsADistributionThatFillsItsRange) {
  std::vector<float> values;
  for (int i = 0; i < 4096; ++i) values.insert(values.end(), 4, (static_cast<float>(i) + 0.5F) / 4096);
  EXPECT_GT(entropy_range(histogram_of(values), asymmetric).high, 0.95);
}

TEST(EntropyRange, CutsALongThinTail) {
  std::vector<float> values;
  for (int i = 0; i < 2000; ++i) values.insert(values.end(), 50, static_cast<float>(i + 1) / 2000);
  for (int i = 1; i <= 40; ++i) values.push_back(1 + static_cast<float>(i) / 4);  // 0.04 % reach up to 11
  const Range range = entropy_range(histogram_of(values), symmetric);
  EXPECT_LT(range.high, 4);
  EXPECT_GT(range.high, 0.6);
}

TEST(EntropyRange, SurvivesAHugeOutlier) {
  std::vector<float> values = normal_values(100000, 7);
  values[0] = 1e6F;
  const Range range = entropy_range(histogram_of(values), symmetric);
  EXPECT_LT(range.high, 300);
  EXPECT_GT(range.high, 1);
}

TEST(EntropyRange, OfFewValuesIsEverythingSeen) {
  const std::vector<float> values = normal_values(80, 9);
  const Histogram histogram = histogram_of(values);
  const Range range = entropy_range(histogram, asymmetric);
  EXPECT_EQ(range.low, histogram.min());
  EXPECT_EQ(range.high, histogram.max());
}

TEST(EntropyRange, IgnoresExactZeros) {
  std::vector<float> values = normal_values(20000, 8);
  const Range without = entropy_range(histogram_of(values), symmetric);
  values.resize(60000, 0.0F);
  const Range with = entropy_range(histogram_of(values), symmetric);
  EXPECT_NEAR(with.high, without.high, 0.25 * without.high);
}

// Banner et al., table of optimal thresholds: 2.83, 3.89 and 5.03 times b for Laplace, 1.71, 2.15 and 2.55 times σ.
TEST(AciqThreshold, EqualsThePublishedFactors) {
  const double laplace[] = {2.83, 3.89, 5.03}, normal[] = {1.71, 2.15, 2.55};
  for (int bits = 2; bits <= 4; ++bits) {
    EXPECT_NEAR(aciq_threshold(1, std::sqrt(2.0), 1 << bits), laplace[bits - 2], 0.01);
    EXPECT_NEAR(aciq_threshold(std::sqrt(2 / 3.14159265), 1, 1 << bits), normal[bits - 2], 0.01);
  }
}

TEST(AciqRange, CutsBothTailsOrTheOneThereIs) {
  Random random(4);
  Histogram both, rectified;
  std::vector<float> values, positive;
  for (int i = 0; i < 100000; ++i) {
    values.push_back(static_cast<float>(random.normal() + 0.5));
    positive.push_back(static_cast<float>(std::max(0.0, random.normal())));
  }
  both.add(values);
  rectified.add(positive);
  const IntegerGrid grid = narrowed(activation_grid(DType::S8, false), 4);
  const Range wide = aciq_range(both, grid), half = aciq_range(rectified, grid);
  EXPECT_NEAR(wide.low, 0.5 - 2.55, 0.05);
  EXPECT_NEAR(wide.high, 0.5 + 2.55, 0.05);
  EXPECT_EQ(half.low, 0);
  EXPECT_NEAR(half.high, 2.93, 0.06);  // as 5 bits of the whole distribution
}

TEST(MovingRange, AveragesBatchesAndMergesByTheirNumber) {
  MovingRange range, other;
  range.add(-1, 2);
  range.add(-3, 4);
  EXPECT_EQ(range.low, -2);
  EXPECT_EQ(range.high, 3);
  other.add(-5, 0);
  range.merge(other);
  EXPECT_DOUBLE_EQ(range.low, -3);
  EXPECT_DOUBLE_EQ(range.high, 2);
}

}  // namespace
}  // namespace adze::quantize
