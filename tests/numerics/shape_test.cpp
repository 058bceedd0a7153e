#include "adze/numerics/shape.h"

#include <gtest/gtest.h>

#include "adze/base/error.h"

namespace adze {
namespace {

TEST(Shape, CountsElementsWithoutOverflow) {
  EXPECT_EQ(num_elements({}), 1);
  EXPECT_EQ(num_elements({2, 3}), 6);
  EXPECT_EQ(num_elements({std::int64_t{1} << 62, 4, 0}), 0);
  EXPECT_THROW(num_elements({std::int64_t{1} << 62, 4}), ModelError);
  EXPECT_THROW(num_elements({2, -1}), ModelError);
  EXPECT_THROW(num_elements({0, -1}), ModelError);
}

TEST(Shape, StridesAreRowMajor) {
  EXPECT_EQ(row_major_strides({2, 3, 4}), (Shape{12, 4, 1}));
  EXPECT_EQ(row_major_strides({}), Shape{});
}

TEST(Shape, BroadcastsAsNumpyDoes) {
  EXPECT_EQ(broadcast_shapes({2, 1, 4}, {3, 1}), (Shape{2, 3, 4}));
  EXPECT_EQ(broadcast_shapes({}, {5}), (Shape{5}));
  EXPECT_EQ(broadcast_shapes({0}, {1}), (Shape{0}));
  EXPECT_THROW(broadcast_shapes({2}, {3}), ModelError);
  EXPECT_THROW(broadcast_shapes({0}, {2}), ModelError);
}

TEST(Shape, AxesCountFromBothEnds) {
  EXPECT_EQ(normalize_axis(-1, 3), 2);
  EXPECT_EQ(normalize_axis(2, 3), 2);
  EXPECT_THROW(normalize_axis(3, 3), ModelError);
  EXPECT_THROW(normalize_axis(-4, 3), ModelError);
  EXPECT_THROW(normalize_axis(0, 0), ModelError);
}

TEST(SymbolicShape, IsWrittenAndCompared) {
  const SymbolicShape shape = {Dim::named("batch"), 3, Dim()};
  EXPECT_EQ(shape_text(shape), "[batch, 3, ?]");
  EXPECT_TRUE(compatible(shape, {7, 3, 9}));
  EXPECT_FALSE(compatible(shape, {7, 4, 9}));
  EXPECT_FALSE(compatible(shape, {7, 3}));
  EXPECT_EQ(concrete(shape), std::nullopt);
  EXPECT_EQ(concrete({2, 3}), (Shape{2, 3}));
}

}  // namespace
}  // namespace adze
