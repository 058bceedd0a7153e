#include "adze/train/schedule.h"

#include <gtest/gtest.h>

#include "adze/base/error.h"

namespace adze::train {
namespace {

TEST(Schedule, CosineFallsFromTheFirstRateToTheLast) {
  ScheduleOptions options{ScheduleKind::Cosine, 0.4, 0.1};
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 0, 10), 0.4);
  EXPECT_NEAR(learning_rate_at(options, 5, 10), 0.25, 1e-12);
  EXPECT_NEAR(learning_rate_at(options, 10, 10), 0.1, 1e-12);
}

TEST(Schedule, WarmUpIsAStraightLine) {
  ScheduleOptions options{ScheduleKind::Cosine, 0.4, 0, 2};
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 0.5, 10), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 2, 10), 0.4);
}

TEST(Schedule, StepsFallAtTheirMilestones) {
  ScheduleOptions options{ScheduleKind::Step, 1, 0, 0, {2, 4}, 0.1};
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 1.9, 6), 1);
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 2, 6), 0.1);
  EXPECT_NEAR(learning_rate_at(options, 5, 6), 0.01, 1e-15);
  options.milestones = {};
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 3, 6), 0.1);
}

TEST(Schedule, ImpossibleOptionsAreRefused) {
  EXPECT_THROW(check_schedule({ScheduleKind::Cosine, 0}, 10), UsageError);
  EXPECT_THROW(check_schedule({ScheduleKind::Cosine, 0.1, 0.2}, 10), UsageError);
  EXPECT_THROW(check_schedule({ScheduleKind::Cosine, 0.1, 0, 11}, 10), UsageError);
  EXPECT_THROW(schedule_from_name("cosin"), UsageError);
}

}  // namespace
}  // namespace adze::train
