#include "adze/report/curves.h"

#include <gtest/gtest.h>

namespace adze {
namespace {

std::size_t count_of(const std::string& text, const std::string& wanted) {
  std::size_t count = 0;
  for (std::size_t at = text.find(wanted); at != std::string::npos; at = text.find(wanted, at + 1)) ++count;
  return count;
}

TEST(Curves, HaveTicksAtWholeNumbersWhereOnlyThoseMeanSomething) {
  const Curve curve{"left", {{0, 100}, {1, 60}}};
  CurveDrawing drawing{"t", "round", "%"};
  EXPECT_GT(count_of(curves_svg({curve}, drawing), ">0.2<"), 0U);
  drawing.x_whole = true;
  const std::string text = curves_svg({curve}, drawing);
  EXPECT_EQ(count_of(text, ">0.2<"), 0U);
  EXPECT_EQ(count_of(text, ">-0<"), 0U) << "a zero has no sign";
}

TEST(Curves, OfANarrowLogarithmicAxisHaveTicksToo) {
  CurveDrawing drawing{"t", "left", "%", true, true};
  const std::string text = curves_svg({{"tickets", {{100, 90}, {64, 80}}}}, drawing);
  EXPECT_GT(count_of(text, ">70<"), 0U) << text;
}

TEST(Curves, NameThoseThatAreNotFaintAndMakeRoomForThem) {
  std::vector<Curve> curves(40, Curve{"grey", {{0, 1}, {1, 2}}});
  for (Curve& one : curves) one.faint = true;
  const std::string few = curves_svg(curves, {"t", "x", "y"});
  EXPECT_EQ(few.find(">grey</text>"), std::string::npos);
  for (Curve& one : curves) one.faint = false;
  const std::string many = curves_svg(curves, {"t", "x", "y"});
  EXPECT_EQ(count_of(many, ">grey</text>"), 40U);
  EXPECT_NE(few.substr(0, 200), many.substr(0, 200)) << "the drawing is taller";
}

}  // namespace
}  // namespace adze
