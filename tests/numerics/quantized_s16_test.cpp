#include "adze/numerics/quantized_s16.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace adze {
namespace {

TEST(QuantizedS16, ReducesMultipliersToFifteenBits) {
  EXPECT_EQ(reduced_multiplier(quantize_multiplier(0.5)).multiplier, 1 << 14);
  EXPECT_EQ(reduced_multiplier(quantize_multiplier(0.5)).shift, 15);
  EXPECT_EQ(reduced_multiplier(quantize_multiplier(0.9999999)).multiplier, 0x7FFF);  // not 2^15
  EXPECT_EQ(reduced_multiplier(quantize_multiplier(0.75 / 1024)).shift, 25);
}

TEST(QuantizedS16, RoundsWideSumsOnceAndTiesUpwards) {
  for (const auto profile : {RoundingProfile::Tflm, RoundingProfile::Litert}) {
    const auto half = make_requantize(profile, 0.5);
    EXPECT_EQ(requantize_wide(3, half), 2);
    EXPECT_EQ(requantize_wide(-3, half), -1);
    EXPECT_EQ(requantize_wide((std::int64_t{1} << 40) + 1, make_requantize(profile, 1.0 / (1 << 20))), 1 << 20);
  }
  const auto half = make_requantize(RoundingProfile::Onnx, 0.5);
  EXPECT_EQ(requantize_wide(3, half), 2);
  EXPECT_EQ(requantize_wide(5, half), 2);  // to even
  EXPECT_EQ(requantize_wide_to(std::int64_t{1} << 60, half, {1.0f, 0, -32768, 32767}), 32767);
}

TEST(QuantizedS16, InterpolatesCloseToTheFunction) {
  const double scale = 8.0 / 32768.0;
  const auto tanh_of = [](double x) { return std::tanh(x); };
  const InterpolatedTable table = interpolated_table(tanh_of, -8.0, 128.0 * scale, 32768.0, -32768, 32767);
  for (int x = -32768; x < 32768; x += 37) {
    EXPECT_NEAR(interpolate(table, x), std::tanh(x * scale) * 32768.0, 4.0) << x;
  }
}

TEST(QuantizedS16, SoftmaxGivesSharesOfTheSum) {
  const std::vector<std::int32_t> values{-32768, 0, 9000, 9000, 20000, 21000};
  const float x_scale = 1.0f / 4096.0f;
  double sum = 0.0;
  for (const std::int32_t value : values) sum += std::exp(value * static_cast<double>(x_scale));
  for (const float y_scale : {1.0f / 32768.0f, 1.0f / 20000.0f}) {
    const QuantizedSoftmaxS16 softmax(RoundingProfile::Tflm, {x_scale, 0, 0, 0}, {y_scale, 0, -32768, 32767});
    std::vector<std::int32_t> results(values.size());
    softmax(values, results);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double share = std::exp(values[i] * static_cast<double>(x_scale)) / sum;
      EXPECT_NEAR(results[i], share / static_cast<double>(y_scale), 8.0) << i;
    }
  }
}

}  // namespace
}  // namespace adze
