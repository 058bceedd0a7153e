// The loops of learned_quantize against plain ones, number by number.

#include "adze/train/torch/quantize_runs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "adze/base/random.h"

namespace adze::train {
namespace {

constexpr float scale = 0.1F;
constexpr Bounds bounds{-0.5F, 0.7F};

/// Normal numbers, every third of them half way between two codes.
std::vector<float> values(std::int64_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> result(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < result.size(); ++i) {
    const auto value = static_cast<float>(random.normal());
    result[i] = i % 3 == 0 ? (std::floor(value / scale) + 0.5F) * scale : value;
  }
  return result;
}

TEST(QuantizeRuns, EqualPlainLoopsAtEveryLength) {
  for (const Bounds codes : {Bounds{-8, 7}, Bounds{0, 15}, Bounds{-128, 127}, Bounds{-32768, 32767}}) {
    for (const std::int64_t count : {1, 15, 16, 17, 31, 256, 257, 300, 5000}) {
      const std::vector<float> x = values(count, 1), dy = values(count, 2);
      std::vector<float> y(x.size()), dx(x.size());
      quantize_run(x.data(), y.data(), count, scale, codes, bounds);
      const double sum = quantize_gradient_run(x.data(), dy.data(), dx.data(), count, scale, codes, bounds);
      double expected = 0, size = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const float v = std::min(std::max(x[i], bounds.low), bounds.high) / scale;
        const float code = std::min(std::max(std::nearbyint(v), codes.low), codes.high);
        const bool inside = v >= codes.low && v <= codes.high;
        EXPECT_EQ(y[i], code * scale) << i << " of " << count;
        EXPECT_EQ(dx[i], inside && x[i] > bounds.low && x[i] < bounds.high ? dy[i] : 0.0F) << i << " of " << count;
        const double part = static_cast<double>(dy[i]) * static_cast<double>(inside ? code - v : code);
        expected += part;
        size += std::abs(part);
      }
      EXPECT_NEAR(sum, expected, 1e-6 * size) << count << " numbers";
    }
  }
}

TEST(QuantizeRuns, KeepNotANumber) {
  const std::vector<float> x(20, std::numeric_limits<float>::quiet_NaN());
  std::vector<float> y(x.size());
  quantize_run(x.data(), y.data(), 20, scale, {-8, 7});
  for (const float value : y) EXPECT_TRUE(std::isnan(value));
}

}  // namespace
}  // namespace adze::train
