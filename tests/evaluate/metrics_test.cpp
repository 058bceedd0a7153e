#include "adze/evaluate/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace adze {
namespace {

// Newcombe 1998, Two-sided confidence intervals for the single proportion, table I, method 3.
TEST(WilsonInterval, GivesThePublishedValues) {
  const struct {
    std::int64_t successes, trials;
    double low, high;
  } rows[] = {{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0.0, 0.1611}, {1, 29, 0.0061, 0.1718}};
  for (const auto& row : rows) {
    const Interval interval = wilson_interval(row.successes, row.trials);
    EXPECT_NEAR(interval.low, row.low, 5e-5) << row.successes;
    EXPECT_NEAR(interval.high, row.high, 5e-5) << row.successes;
  }
}

TEST(WilsonInterval, SaysNothingWithoutTrials) {
  EXPECT_EQ(wilson_interval(0, 0).low, 0.0);
  EXPECT_EQ(wilson_interval(0, 0).high, 1.0);
}

// Fagerland, Lydersen and Laake 2013: airway hyper-responsiveness before and after transplantation, b = 1, c = 7:
// exact conditional p = 0.070, mid-p = 0.039.
TEST(McNemarTest, GivesThePublishedExample) {
  const McNemar result = mcnemar(1, 7);
  EXPECT_NEAR(result.exact_p, 0.0703125, 1e-12);
  EXPECT_NEAR(result.mid_p, 0.0390625, 1e-12);
  EXPECT_EQ(mcnemar(7, 1).mid_p, result.mid_p);
}

TEST(McNemarTest, IsOneWhenNothingOrNobodyDiffers) {
  EXPECT_EQ(mcnemar(0, 0).mid_p, 1.0);
  EXPECT_EQ(mcnemar(3, 3).exact_p, 1.0);
  EXPECT_NEAR(mcnemar(1, 1).mid_p, 0.75, 1e-12);
}

TEST(McNemarTest, HandlesThousandsOfDifferences) {
  const McNemar result = mcnemar(5200, 4800);
  EXPECT_NEAR(result.exact_p, 6.57e-5, 3e-6);  // normal: z = 4.0, p = 6.3e-5
}

// The identity a·d = b·c gives an uncorrelated pair: plain square-and-add of the two Wilson intervals.
TEST(PairedDifferenceInterval, IsSquareAndAddForUncorrelatedPairs) {
  const Interval interval = paired_difference_interval(40, 20, 40, 20);
  const Interval p1 = wilson_interval(60, 120), p2 = wilson_interval(80, 120);
  EXPECT_NEAR(interval.low, -1.0 / 6 - std::hypot(0.5 - p1.low, p2.high - 2.0 / 3), 1e-12);
  EXPECT_NEAR(interval.high, -1.0 / 6 + std::hypot(p1.high - 0.5, 2.0 / 3 - p2.low), 1e-12);
}

// Newcombe 1998, paired data, table II: 36, 12, 2, 0 has method-10 limits 0.0569 … 0.3404.
TEST(PairedDifferenceInterval, GivesThePublishedExample) {
  const Interval interval = paired_difference_interval(36, 12, 2, 0);
  EXPECT_NEAR(interval.low, 0.0569, 5e-4);
  EXPECT_NEAR(interval.high, 0.3404, 5e-4);
}

TEST(PairedDifferenceInterval, IsNarrowForModelsThatAgree) {
  const Interval interval = paired_difference_interval(900, 5, 5, 90);
  EXPECT_LT(interval.high, 0.01);
  EXPECT_GT(interval.low, -0.01);
}

TEST(AreaUnderCurve, CountsOrderedPairsAndHalvesTies) {
  EXPECT_DOUBLE_EQ(area_under_curve(std::vector<double>{0.1, 0.4, 0.35, 0.8}, {false, false, true, true}), 0.75);
  EXPECT_DOUBLE_EQ(area_under_curve(std::vector<double>{1, 1, 1, 1}, {false, true, false, true}), 0.5);
  EXPECT_TRUE(std::isnan(area_under_curve(std::vector<double>{1, 2}, {true, true})));
}

TEST(Confusion, CountsByTruthAndPrediction) {
  ConfusionMatrix matrix(2);
  for (int i = 0; i < 3; ++i) matrix.add(0, 0);
  matrix.add(0, 1);
  matrix.add(1, 1);
  EXPECT_EQ(matrix.at(0, 1), 1);
  EXPECT_EQ(matrix.correct(), 4);
  EXPECT_EQ(matrix.samples_of(0), 4);
  EXPECT_EQ(matrix.predicted_as(1), 2);
  EXPECT_NEAR(matrix.macro_f1(), 0.5 * (6.0 / 7.0 + 2.0 / 3.0), 1e-12);
}

TEST(Ranking, PutsNanLastAndTheFirstOfEqualsFirst) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> scores = {nan, 1.0F, 3.0F, 3.0F};
  EXPECT_EQ(argmax(scores), 2);
  EXPECT_EQ(rank_of(scores, 3), 1);
  EXPECT_EQ(rank_of(scores, 0), 3);
}

}  // namespace
}  // namespace adze
