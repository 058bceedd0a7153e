#include "adze/numerics/affine.h"

#include <gtest/gtest.h>

#include <cmath>

#include "adze/base/random.h"

namespace adze {
namespace {

TEST(ScaleForRange, PutsZeroExactlyOnACode) {
  Random random(1);
  for (int i = 0; i < 1000; ++i) {
    const double low = random.uniform(-10, 5);
    const double high = low + random.uniform(0, 10);
    for (const DType dtype : {DType::S8, DType::U8}) {
      const IntegerGrid grid = activation_grid(dtype, false);
      const AffineScale affine = scale_for_range(low, high, grid);
      EXPECT_EQ(quantize_value(0, affine, grid), affine.zero_point);
      EXPECT_LE(lowest_real(affine, grid), std::min(low, 0.0) + affine.scale * 0.51);
      EXPECT_GE(highest_real(affine, grid), std::max(high, 0.0) - affine.scale * 0.51);
    }
  }
}

TEST(ScaleForRange, UsesAllCodesOfARectifiedRange) {
  const IntegerGrid grid = activation_grid(DType::S8, false);
  const AffineScale affine = scale_for_range(0, 6, grid);
  EXPECT_EQ(affine.zero_point, -128);
  EXPECT_FLOAT_EQ(affine.scale, 6.0F / 255);
  EXPECT_EQ(scale_for_range(0, 255, grid), (AffineScale{1.0F, -128}));
}

TEST(ScaleForRange, SymmetricCentresZero) {
  EXPECT_EQ(scale_for_range(-127, 3, activation_grid(DType::S8, true)), (AffineScale{1.0F, 0}));
  EXPECT_EQ(scale_for_range(-1, 127, activation_grid(DType::U8, true)), (AffineScale{1.0F, 128}));
  EXPECT_EQ(scale_for_range(-254, 254, weight_grid()), (AffineScale{2.0F, 0}));
}

TEST(ScaleForRange, SurvivesDegenerateRanges) {
  const IntegerGrid grid = activation_grid(DType::S8, false);
  EXPECT_EQ(scale_for_range(0, 0, grid), (AffineScale{1.0F, 0}));
  EXPECT_GT(scale_for_range(0, 1e-45, grid).scale, 0.0F);
  EXPECT_TRUE(std::isfinite(scale_for_range(-3.4e38, 3.4e38, grid).scale));
  const AffineScale constant = scale_for_range(5, 5, grid);
  EXPECT_EQ(quantize_value(5, constant, grid), 127);
}

TEST(QuantizeValue, RoundsHalfToEvenAndSaturates) {
  const IntegerGrid grid = activation_grid(DType::S8, false);
  const AffineScale unit{1.0F, 0};
  EXPECT_EQ(quantize_value(0.5F, unit, grid), 0);
  EXPECT_EQ(quantize_value(1.5F, unit, grid), 2);
  EXPECT_EQ(quantize_value(-2.5F, unit, grid), -2);
  EXPECT_EQ(quantize_value(1e9F, unit, grid), 127);
  EXPECT_EQ(quantize_value(-1e9F, unit, grid), -128);
  EXPECT_EQ(quantize_value(-1e9F, unit, weight_grid()), -127);
}

TEST(AbsoluteMaxima, FollowTheAxis) {
  const Tensor tensor = Tensor::from<float>({2, 2, 2}, {1, -2, 3, -4, 5, 6, -7, 8});
  EXPECT_EQ(absolute_maxima(tensor, std::nullopt), (std::vector<float>{8}));
  EXPECT_EQ(absolute_maxima(tensor, 0), (std::vector<float>{4, 8}));
  EXPECT_EQ(absolute_maxima(tensor, 1), (std::vector<float>{6, 8}));
  EXPECT_EQ(absolute_maxima(tensor, 2), (std::vector<float>{7, 8}));
}

TEST(AbsoluteMaxima, RefuseNanAndInfinity) {
  EXPECT_THROW(absolute_maxima(Tensor::from<float>({2}, {1, std::nanf("")}), std::nullopt), ModelError);
  EXPECT_THROW(absolute_maxima(Tensor::from<float>({2}, {1, -INFINITY}), std::nullopt), ModelError);
}

TEST(Quantized, DequantizesWithinHalfAStepOnEveryAxis) {
  Random random(2);
  Tensor tensor(DType::F32, {3, 4, 5});
  for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(random.normal());
  for (std::int64_t axis = 0; axis < 3; ++axis) {
    const TensorScales scales{symmetric_scales(absolute_maxima(tensor, axis), weight_grid()), axis};
    const Tensor restored = dequantized(quantized(tensor, scales, weight_grid()), scales);
    for (std::int64_t i = 0; i < tensor.size(); ++i) {
      const std::int64_t strides[] = {20, 5, 1};
      const auto channel = static_cast<std::size_t>(i / strides[axis] % tensor.dim(axis));
      EXPECT_NEAR(restored.get_double(i), tensor.get_double(i), scales.scales[channel].scale * 0.5001);
    }
  }
}

TEST(SymmetricScales, GiveAZeroChannelAScaleOfItsNeighbours) {
  const auto scales = symmetric_scales(std::vector<float>{0, 254}, weight_grid());
  EXPECT_EQ(scales[0].scale, 2.0F);
  EXPECT_EQ(symmetric_scales(std::vector<float>{0, 0}, weight_grid())[1].scale, 1.0F);
}

TEST(SqnrDb, IsTheRatioOfEnergies) {
  EXPECT_NEAR(sqnr_db(std::vector<float>{3, 4}, std::vector<float>{3, 4.5}), 20, 1e-9);
  EXPECT_EQ(sqnr_db(std::vector<float>{1, 2}, std::vector<float>{1, 2}), 200);
  EXPECT_EQ(sqnr_db(std::vector<float>{0, 0}, std::vector<float>{1, 2}), 0);
}

}  // namespace
}  // namespace adze
