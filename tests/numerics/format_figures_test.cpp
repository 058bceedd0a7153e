#include "adze/numerics/formats/figures.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "adze/base/error.h"

namespace adze {
namespace {

TEST(FormatFigures, AreThoseOfTheProcessorsFloats) {
  const FormatFigures f32 = format_figures(*format("f32"));
  EXPECT_EQ(f32.highest, std::numeric_limits<float>::max());
  EXPECT_EQ(f32.smallest, std::numeric_limits<float>::denorm_min());
  EXPECT_EQ(f32.epsilon, std::numeric_limits<float>::epsilon());
  EXPECT_EQ(format_figures(*format("f64")).highest, std::numeric_limits<double>::max());
}

TEST(FormatFigures, CountCodes) {
  const FormatFigures e5m2 = format_figures(*format("f8e5m2"));
  EXPECT_EQ(e5m2.values, 247);  // zero once
  EXPECT_EQ(e5m2.infinities, 2);
  EXPECT_EQ(e5m2.nans, 6);
  EXPECT_EQ(e5m2.epsilon, 0.25);
  EXPECT_FALSE(format_figures(*format("log4")).epsilon.has_value());
  EXPECT_THROW(format_values(*format("f32")), UsageError);
}

}  // namespace
}  // namespace adze
