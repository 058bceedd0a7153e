#include "adze/report/number_lines.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "adze/base/error.h"

namespace adze {
namespace {

TEST(NumberLines, DrawAMarkForEveryValue) {
  const std::string svg = number_lines_svg({"ternary", "int4"});
  EXPECT_EQ(std::count(svg.begin(), svg.end(), 'v'), 3 + 16 + 2 /* svg */ + 1 /* viewBox */ + 1 /* namespace */);
  EXPECT_NE(svg.find(">int4<"), std::string::npos);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(number_lines_svg({"int4"}, {.logarithmic = true}).find("nan"), std::string::npos);
  EXPECT_THROW(number_lines_svg({"f16"}), UsageError);
}

}  // namespace
}  // namespace adze
