#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "adze/numerics/float_formats.h"
#include "adze/numerics/formats/flexpoint_format.h"
#include "adze/numerics/formats/format.h"

namespace adze {
namespace {

std::vector<float> normal_values(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.normal());
  return values;
}

double squared_error(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::pow(static_cast<double>(a[i]) - b[i], 2);
  return sum;
}

TEST(FloatFormat, AgreesWithTheStoredFloatTypes) {
  const std::pair<const char*, FloatFormat> pairs[] = {{"f16", f16_format},
                                                       {"bf16", bf16_format},
                                                       {"f8e4m3", f8e4m3_format},
                                                       {"f8e5m2", f8e5m2_format},
                                                       {"f8e4m3fnuz", f8e4m3fnuz_format},
                                                       {"f8e5m2fnuz", f8e5m2fnuz_format}};
  Random random(1);
  for (const auto& [name, stored] : pairs) {
    const auto tested = format(name);
    for (std::uint32_t code = 0; code >> tested->bits() == 0; ++code) {
      const float expected = decode_float(stored, code);
      const double value = tested->decode(code, {1.0});
      ASSERT_TRUE(value == expected || (std::isnan(value) && std::isnan(expected))) << name << " " << code;
    }
    const Overflow overflow = tested->bits() == 8 ? Overflow::Saturate : Overflow::ToInfinity;
    for (int i = 0; i < 20000; ++i) {
      const auto value = static_cast<float>(random.normal() * std::exp2(random.uniform(-30, 20)));
      ASSERT_EQ(tested->encode(value, {1.0}), encode_float(stored, value, overflow)) << name << " " << value;
    }
  }
}

TEST(FloatFormat, HoldsEveryFloatAndDoubleAsTheProcessorDoes) {
  Random random(2);
  for (int i = 0; i < 20000; ++i) {
    const std::uint64_t bits = random.next();
    double wide;
    std::memcpy(&wide, &bits, sizeof wide);
    if (std::isnan(wide)) continue;
    ASSERT_EQ(format("f64")->encode(wide, {1.0}), bits);
    ASSERT_EQ(format("f64")->decode(bits, {1.0}), wide);
    const auto narrow = static_cast<float>(random.normal() * std::exp2(random.uniform(-140, 100)));
    std::uint32_t code;
    std::memcpy(&code, &narrow, sizeof code);
    ASSERT_EQ(format("f32")->encode(narrow, {1.0}), code);
    // tf32 is f32 with 13 bits fewer.
    ASSERT_EQ(format("tf32")->decode(code >> 13, {1.0}),
              std::ldexp(1.0, 0) * format("f32")->decode(code & ~0x1fffu, {1.0}));
  }
}

TEST(FloatFormat, HasThePublishedRanges) {
  const auto top = [](const char* name) { return format(name)->decode(format(name)->encode(1e30, {1.0}), {1.0}); };
  EXPECT_EQ(top("f8e4m3"), 448);
  EXPECT_EQ(top("f8e5m2"), 57344);
  EXPECT_EQ(top("f8e4m3fnuz"), 240);
  EXPECT_EQ(top("f8e5m2fnuz"), 57344);
  EXPECT_EQ(top("f6e3m2"), 28);
  EXPECT_EQ(top("f6e2m3"), 7.5);
  EXPECT_EQ(top("f4e2m1"), 6);
  EXPECT_EQ(top("f16"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(format("e4m3fns")->decode(0x7e, {1.0}), 448);
}

TEST(Microscaling, TakesThePowerOfTwoOfTheSpecification) {
  std::vector<float> values(32, 0.25f);
  values[7] = -5.0f;
  EXPECT_EQ(format("mxfp4")->fit(values)[0], 1.0);  // 4 is the highest power of two of f4e2m1
  EXPECT_EQ(format("mxfp8e4m3")->fit(values)[0], std::exp2(-6));
  EXPECT_EQ(format("mxint8")->fit(values)[0], 4.0);
  values[7] = 1e-30f;
  EXPECT_EQ(format("mxfp4")->rounded(values)[0], 0.25f);
  // A second block has a scale of its own.
  values.resize(64, 1024.0f);
  EXPECT_EQ(format("mxfp4")->rounded(values)[0], 0.25f);
  EXPECT_EQ(format("mxfp4")->rounded(values)[63], 1024.0f);
}

TEST(Posit, HasTheValuesOfTheStandard) {
  const auto posit8 = format("posit8");
  EXPECT_EQ(posit8->decode(0x40, {1.0}), 1.0);
  EXPECT_EQ(posit8->decode(0xc0, {1.0}), -1.0);
  EXPECT_EQ(posit8->decode(0x7f, {1.0}), std::exp2(24));
  EXPECT_EQ(posit8->decode(0x01, {1.0}), std::exp2(-24));
  EXPECT_TRUE(std::isnan(posit8->decode(0x80, {1.0})));
  EXPECT_EQ(posit8->decode(0x4d, {1.0}), 3.25);  // 0 10 01 101: 2 · 1.625
  EXPECT_EQ(format("posit8es0")->decode(0x7f, {1.0}), 64.0);
  EXPECT_EQ(format("posit16es1")->decode(0x7fff, {1.0}), std::exp2(28));
  // Standard, section 4.1: never to zero, never beyond the largest.
  EXPECT_EQ(posit8->encode(1e-300, {1.0}), 0x01u);
  EXPECT_EQ(posit8->encode(-1e-300, {1.0}), 0xffu);
  EXPECT_EQ(posit8->encode(1e300, {1.0}), 0x7fu);
  EXPECT_EQ(posit8->encode(0.0, {1.0}), 0u);
}

TEST(Posit, RoundsAsBitStrings) {
  const auto narrow = format("posit8");
  const auto wide = format("posit9");
  for (std::uint64_t code = 1; code < 0x7f; ++code) {
    const double bound = wide->decode(2 * code + 1, {1.0});
    ASSERT_EQ(narrow->encode(std::nextafter(bound, 0.0), {1.0}), code);
    ASSERT_EQ(narrow->encode(std::nextafter(bound, 1e300), {1.0}), code + 1);
    ASSERT_EQ(narrow->encode(bound, {1.0}), code + code % 2);
  }
}

TEST(Integer, CoversTheRangeThatItIsFittedTo) {
  const std::vector<float> values = {-1.0f, 0.0f, 3.0f};
  EXPECT_EQ(format("int8sym")->fit(values)[0], 3.0 / 127);
  const FormatParameters shifted = format("uint8")->fit(values);
  EXPECT_DOUBLE_EQ(shifted[0], 4.0 / 255);
  EXPECT_EQ(shifted[1], 64);
  EXPECT_EQ(format("uint8")->decode(format("uint8")->encode(0.0, shifted), shifted), 0.0);
  EXPECT_EQ(format("int4")->encode(-8, {1.0, 0.0}), 8u);
  EXPECT_EQ(format("int4sym")->encode(-8, {1.0, 0.0}), 9u);
}

TEST(FixedPoint, PlacesItsPointByPowersOfTwo) {
  EXPECT_EQ(format("q3.4")->decode(0x18, {1.0}), 1.5);
  const std::vector<float> values = {0.3f, -0.9f};
  EXPECT_EQ(format("fixed8")->fit(values)[0], std::exp2(-7));
}

TEST(Ternary, FitsTheBestOfAllThresholds) {
  const std::vector<float> values = normal_values(60, 4);
  std::vector<float> magnitudes;
  for (const float value : values) magnitudes.push_back(std::abs(value));
  std::sort(magnitudes.begin(), magnitudes.end());
  double best = std::numeric_limits<double>::infinity();
  for (const float threshold : magnitudes) {
    double sum = 0;
    int count = 0;
    for (const float value : values) {
      if (std::abs(value) >= threshold) sum += std::abs(value), ++count;
    }
    double error = 0;
    for (const float value : values) {
      const double kept = std::abs(value) >= threshold ? std::copysign(sum / count, value) : 0.0;
      error += (value - kept) * (value - kept);
    }
    best = std::min(best, error);
  }
  EXPECT_NEAR(squared_error(values, format("ternary")->rounded(values)), best, 1e-6);
}

TEST(Binary, IsTheMeanMagnitude) {
  const std::vector<float> values = {-1.0f, 2.0f, 3.0f};
  EXPECT_EQ(format("binary")->rounded(values), (std::vector<float>{-2, 2, 2}));
  const std::vector<float> importance = {1.0f, 0.0f, 1.0f};
  EXPECT_EQ(format("binary")->fit(values, {.importance = importance})[0], 2.0);
}

TEST(Logarithmic, HasPowersOfTwoAndTheirSums) {
  EXPECT_EQ(format("log3")->decode(1, {1.0}), 0.25);
  EXPECT_EQ(format("log3")->decode(7, {1.0}), -1.0);
  // Four bits: {0, 1/2, 1/4, 1/16} + {0, 1/8}, as the paper's code has it.
  std::vector<double> levels;
  for (std::uint64_t code = 0; code < 8; ++code) levels.push_back(format("apot4")->decode(code, {16.0}));
  std::sort(levels.begin(), levels.end());
  EXPECT_EQ(levels, (std::vector<double>{0, 1, 2, 3, 4, 6, 8, 10}));
}

TEST(Codebook, FindsClustersAndHeedsImportance) {
  std::vector<float> values;
  for (int i = 0; i < 40; ++i) values.push_back(static_cast<float>(i % 4) * 3.0f + (i % 8 < 4 ? 0.1f : -0.1f));
  const FormatParameters levels = format("codebook4")->fit(values);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(levels[i], 3.0 * static_cast<double>(i), 1e-6);
  const std::vector<float> two = {0.0f, 1.0f, 10.0f};
  const std::vector<float> importance = {3.0f, 1.0f, 1.0f};
  EXPECT_NEAR(format("codebook2")->fit(two, {.importance = importance})[0], 0.25, 1e-6);
}

TEST(Codebook, HasLessErrorThanIntegersOfAsManyBits) {
  const std::vector<float> values = normal_values(4000, 6);
  const double book = squared_error(values, format("codebook16")->rounded(values));
  EXPECT_LT(book, squared_error(values, format("int4")->rounded(values, {.importance = {}, .search = true})));
  // Max (1960): the best 16 levels for a normal density leave 0.009497 of its variance.
  EXPECT_NEAR(book / 4000, 0.0095, 0.001);
}

TEST(CodeSum, ImprovesOnTheGreedyScales) {
  const std::vector<float> values = normal_values(2000, 8);
  const double one = squared_error(values, format("codesum1")->rounded(values));
  const double two = squared_error(values, format("codesum2")->rounded(values));
  const double three = squared_error(values, format("codesum3")->rounded(values));
  EXPECT_NEAR(one, squared_error(values, format("binary")->rounded(values)), 1e-3);
  // Max (1960): the best 4 levels, which are a sum of two, leave 0.1175.
  EXPECT_NEAR(two / 2000, 0.1175, 0.012);
  EXPECT_LT(three, two / 2.5);
}

TEST(Flexpoint, SharesOnePowerOfTwo) {
  const std::vector<float> values = {1.0f, -3.0f};
  EXPECT_EQ(format("flex16")->fit(values)[0], std::exp2(-13));
}

TEST(Flexpoint, PredictsARangeThatGrowsSlowlyWithoutOverflow) {
  FlexpointManager manager;
  const std::vector<float> first = {0.5f};
  manager.start(first);
  Random random(4);
  double largest = 0.5;
  for (int step = 0; step < 300; ++step) {
    largest *= 1.01;
    manager.observe(largest * random.uniform(0.9, 1.0));
    ASSERT_LT(manager.largest(), 64 * largest);
  }
  EXPECT_LE(manager.overflows(), 1);
  manager.observe(1000 * manager.largest());
  const double before = manager.largest();
  manager.observe(1000 * before);
  EXPECT_GE(manager.largest(), 2 * before);
}

}  // namespace
}  // namespace adze
