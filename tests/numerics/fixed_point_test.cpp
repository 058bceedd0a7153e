#include <gtest/gtest.h>

#include <cmath>

#include "adze/base/random.h"
#include "adze/numerics/activation_tables.h"
#include "adze/numerics/quantized_arithmetic.h"

namespace adze {
namespace {

using Wide = __int128;
constexpr std::int64_t lowest = std::numeric_limits<std::int32_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int32_t>::max();

/// value / 2^bits rounded to nearest, ties away from zero.
Wide round_away(Wide value, int bits) {
  const Wide half = Wide{1} << bits >> 1;
  return value >= 0 ? (value + half) >> bits : -((-value + half) >> bits);
}

std::int32_t any_int32(Random& random) {
  const int bits = static_cast<int>(random.below(33));
  return static_cast<std::int32_t>(static_cast<std::int64_t>(random.next() >> 32) >> (32 - bits)) *
         (random.below(2) ? 1 : -1);
}

TEST(FixedPoint, DoublingHighMulIsTheRoundedWideProduct) {
  Random random(1);
  for (int i = 0; i < 100'000; ++i) {
    const std::int32_t a = any_int32(random), b = any_int32(random);
    if (a == lowest && b == lowest) continue;
    // gemmlowp's ties: away from zero for positive products, towards zero never occurs for the negative ones it nudges.
    const Wide product = Wide{a} * b;
    const Wide nudged = product + (product >= 0 ? (1 << 30) : 1 - (1 << 30));
    ASSERT_EQ(saturating_rounding_doubling_high_mul(a, b), static_cast<std::int32_t>(nudged / (Wide{1} << 31)));
    ASSERT_NEAR(static_cast<double>(saturating_rounding_doubling_high_mul(a, b)),
                static_cast<double>(product) / 2147483648.0, 0.5);
  }
  EXPECT_EQ(saturating_rounding_doubling_high_mul(static_cast<std::int32_t>(lowest), static_cast<std::int32_t>(lowest)),
            highest);
}

TEST(FixedPoint, DivideByPowerOfTwoRoundsTiesAwayFromZero) {
  Random random(2);
  for (int i = 0; i < 100'000; ++i) {
    const std::int32_t x = any_int32(random);
    const int exponent = static_cast<int>(random.below(32));
    ASSERT_EQ(rounding_divide_by_pot(x, exponent), static_cast<std::int32_t>(round_away(x, exponent)))
        << x << " " << exponent;
  }
  EXPECT_EQ(rounding_divide_by_pot(-3, 1), -2);
  EXPECT_EQ(rounding_divide_by_pot(5, 1), 3);
}

TEST(FixedPoint, MultiplierIsTheRealToThirtyOneBits) {
  Random random(3);
  for (int i = 0; i < 20'000; ++i) {
    const double real = std::exp2(random.uniform(-30, 29));
    const FixedMultiplier fixed = quantize_multiplier(real);
    ASSERT_GE(fixed.multiplier, 1 << 30);
    ASSERT_NEAR(fixed.multiplier * std::exp2(fixed.shift - 31) / real, 1.0, 1e-9);
  }
  EXPECT_EQ(quantize_multiplier(0.0).multiplier, 0);
  EXPECT_EQ(quantize_multiplier(1e-12).multiplier, 0);
}

TEST(FixedPoint, RoundingOnceIsTheRoundedWideProduct) {
  Random random(4);
  for (int i = 0; i < 100'000; ++i) {
    const std::int32_t x = any_int32(random);
    const FixedMultiplier by = quantize_multiplier(std::exp2(random.uniform(-20, 3)));
    const int shift = 31 - by.shift;
    Wide expected = (Wide{x} * by.multiplier + (Wide{1} << (shift - 1))) >> shift;
    expected = std::clamp<Wide>(expected, lowest, highest);
    ASSERT_EQ(multiply_rounding_once(x, by), static_cast<std::int32_t>(expected));
  }
}

TEST(FixedPoint, RoundingTwiceIsOffByLessThanOne) {
  Random random(5);
  for (int i = 0; i < 100'000; ++i) {
    const std::int32_t x = any_int32(random);
    const double real = std::exp2(random.uniform(-20, 0));
    const FixedMultiplier by = quantize_multiplier(real);
    ASSERT_NEAR(multiply_rounding_twice(x, by), x * real, 1.001 + std::abs(x * real) * 1e-9);
  }
  // The two roundings differ: 5 * 0.3 rounds to 1.5, then 2; a case from LiteRT's discussion is any tie after the
  // first.
  int differing = 0;
  for (std::int32_t x = -100'000; x < 100'000; ++x) {
    const FixedMultiplier by = quantize_multiplier(0.00271);
    differing += multiply_rounding_twice(x, by) != multiply_rounding_once(x, by) ? 1 : 0;
  }
  EXPECT_GT(differing, 0);
}

TEST(FixedPoint, ExponentialLogisticAndTanhAreNearTheFunctions) {
  Random random(6);
  for (int i = 0; i < 20'000; ++i) {
    const auto raw = static_cast<std::int32_t>(-static_cast<std::int64_t>(random.below(1u << 31)));
    const double a5 = raw / std::exp2(26), a4 = raw / std::exp2(27);
    ASSERT_NEAR(fixed_exp_on_negative_values(raw, 5) / std::exp2(31), std::exp(a5), 3e-7);
    ASSERT_NEAR(fixed_logistic(raw, 4) / std::exp2(31), 1 / (1 + std::exp(-a4)), 1e-6);
    ASSERT_NEAR(fixed_tanh(raw, 4) / std::exp2(31), std::tanh(a4), 1e-6);
    const std::int32_t positive = -(raw + 1);
    ASSERT_NEAR(fixed_tanh(positive, 4) / std::exp2(31), std::tanh(positive / std::exp2(27)), 1e-6);
  }
}

TEST(QuantizedArithmetic, AdditionIsWithinOneStepOfRealArithmetic) {
  Random random(7);
  for (const auto profile : {RoundingProfile::Tflm, RoundingProfile::Litert, RoundingProfile::Onnx}) {
    for (int i = 0; i < 20'000; ++i) {
      const Affine a{static_cast<float>(random.uniform(0.01, 1)), static_cast<int>(random.below(256)) - 128};
      const Affine b{static_cast<float>(random.uniform(0.01, 1)), static_cast<int>(random.below(256)) - 128};
      const Affine y{static_cast<float>(random.uniform(0.05, 2)), static_cast<int>(random.below(256)) - 128};
      const int qa = static_cast<int>(random.below(256)) - 128, qb = static_cast<int>(random.below(256)) - 128;
      const double real = (qa - a.zero_point) * double{a.scale} + (qb - b.zero_point) * double{b.scale};
      const double q = std::clamp(real / double{y.scale} + y.zero_point, -128.0, 127.0);
      ASSERT_NEAR(QuantizedAdd(profile, a, b, y)(qa, qb), q, 0.51);
      const double product = (qa - a.zero_point) * double{a.scale} * ((qb - b.zero_point) * double{b.scale});
      const double qp = std::clamp(product / double{y.scale} + y.zero_point, -128.0, 127.0);
      ASSERT_NEAR(QuantizedMul(profile, a, b, y)(qa, qb), qp, 1.01);
    }
  }
}

TEST(QuantizedArithmetic, PoolOfOneScaleRoundsTiesAwayFromZero) {
  const Affine x{0.1f, 5}, y{0.1f, 5};
  const QuantizedMean mean(RoundingProfile::Tflm, x, y, true);
  EXPECT_EQ(mean(3 - 10, 2), 2);                                              // raw 1 and 2
  EXPECT_EQ(mean(-3 - 10, 2), -2);                                            // raw -1 and -2
  EXPECT_EQ(QuantizedMean(RoundingProfile::Onnx, x, y, true)(3 - 10, 2), 1);  // -3.5 to even, then + 5
}

TEST(QuantizedArithmetic, SoftmaxOfEveryProfileIsNearTheFunction) {
  Random random(8);
  for (const auto profile : {RoundingProfile::Tflm, RoundingProfile::Litert, RoundingProfile::Onnx}) {
    const Affine x{0.1f, 0}, y{1.0f / 256, -128};
    const QuantizedSoftmax softmax(profile, x, y);
    for (int i = 0; i < 200; ++i) {
      std::vector<std::int32_t> row(12), result(12);
      double sum = 0;
      for (auto& value : row) value = static_cast<int>(random.below(256)) - 128;
      for (const auto value : row) sum += std::exp(double{x.scale} * value);
      softmax(row, result);
      for (std::size_t k = 0; k < row.size(); ++k) {
        ASSERT_NEAR(result[k], std::min(std::exp(double{x.scale} * row[k]) / sum * 256 - 128, 127.0), 1.01);
      }
    }
  }
}

TEST(ActivationTables, FixedPointTablesAreWithinOneStepOfTheFunctions) {
  const Affine x{0.05f, 3, -128, 127};
  const auto near = [&](const ActivationTable& table, const Affine& y, auto function, double steps) {
    for (int i = 0; i < 256; ++i) {
      const double real = (x.min + i - x.zero_point) * double{x.scale};
      EXPECT_NEAR(table[static_cast<std::size_t>(i)],
                  std::clamp(function(real) / double{y.scale} + y.zero_point, -128.0, 127.0), steps)
          << i;
    }
  };
  const Affine unit{1.0f / 256, -128}, symmetric{1.0f / 128, 0}, wide{0.03f, -10};
  near(
      *fixed_sigmoid_table(x, unit), unit, [](double v) { return 1 / (1 + std::exp(-v)); }, 0.51);
  near(
      *fixed_tanh_table(x, symmetric), symmetric, [](double v) { return std::tanh(v); }, 0.51);
  near(
      *fixed_hard_swish_table(x, wide), wide, [](double v) { return v * std::clamp(v / 6 + 0.5, 0.0, 1.0); }, 1.01);
  near(
      *fixed_leaky_relu_table(x, wide, 0.1f), wide, [](double v) { return v < 0 ? 0.1 * v : v; }, 0.52);
  EXPECT_FALSE(fixed_sigmoid_table(x, wide).has_value());
}

}  // namespace
}  // namespace adze
