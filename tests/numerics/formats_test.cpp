#include "adze/numerics/formats/format.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "adze/base/error.h"

namespace adze {
namespace {

/// The finite values of a format's codes, ascending and each once.
std::vector<double> values_of(const NumberFormat& format, const FormatParameters& parameters) {
  std::vector<double> values;
  for (std::uint64_t code = 0; code >> format.bits() == 0; ++code) {
    const double value = format.decode(code, parameters);
    if (std::isfinite(value)) values.push_back(value);
  }
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

std::vector<std::string> names_of_at_most(int bits) {
  std::vector<std::string> names;
  for (const std::string& name : format_names()) {
    if (format(name)->bits() <= bits) names.push_back(name);
  }
  for (const char* name : {"e5m6", "e3m4fn", "e4m1fnuz", "e2m0f", "e5m2fnb20s", "int5asym", "posit5es3", "codebook5"}) {
    names.emplace_back(name);
  }
  return names;
}

std::vector<float> normal_values(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.normal());
  return values;
}

TEST(Formats, KnowTheirOwnNames) {
  for (const std::string& name : format_names()) EXPECT_EQ(format(name)->name(), name);
  EXPECT_THROW(format("f8e4m4"), UsageError);
  EXPECT_THROW(format("int1"), UsageError);
  EXPECT_THROW(format("posit99"), UsageError);
  EXPECT_THROW(format("codebook1"), UsageError);
  EXPECT_THROW(format("e1m0"), UsageError);
  EXPECT_THROW(format(""), UsageError);
}

TEST(Formats, EncodeWhatEveryCodeStandsFor) {
  for (const std::string& name : names_of_at_most(16)) {
    const auto tested = format(name);
    const FormatParameters unit = tested->unit();
    for (std::uint64_t code = 0; code >> tested->bits() == 0; ++code) {
      const double value = tested->decode(code, unit);
      if (std::isnan(value)) continue;
      const double back = tested->decode(tested->encode(value, unit), unit);
      if (std::isinf(value)) {
        ASSERT_EQ(std::signbit(back), std::signbit(value)) << name;
      } else {
        ASSERT_EQ(back, value) << name << " code " << code;
      }
    }
    EXPECT_THROW(tested->decode(std::uint64_t{1} << tested->bits(), unit), UsageError) << name;
  }
}

TEST(Formats, RoundToTheNearestValue) {
  for (const std::string& name : names_of_at_most(9)) {
    if (name.starts_with("posit")) continue;  // posits round as bit strings
    const auto tested = format(name);
    const FormatParameters unit = tested->unit();
    const std::vector<double> values = values_of(*tested, unit);
    Random random(5);
    for (int i = 0; i < 2000; ++i) {
      const double value = random.normal() * values.back() * std::exp2(random.uniform(-6, 0));
      const double rounded = tested->decode(tested->encode(value, unit), unit);
      if (!std::isfinite(rounded)) continue;
      double least = std::numeric_limits<double>::infinity();
      for (const double candidate : values) least = std::min(least, std::abs(candidate - value));
      ASSERT_EQ(std::abs(rounded - value), least) << name << " of " << value;
    }
  }
}

TEST(Formats, RoundTiesToTheEvenCode) {
  for (const char* name : {"f8e4m3", "f4e2m1", "f6e2m3", "int4", "int8", "q3.4", "bf16", "mxfp4"}) {
    const auto tested = format(name);
    const FormatParameters unit = tested->unit();
    const std::vector<double> values = values_of(*tested, unit);
    for (std::size_t i = 0; i + 1 < values.size(); ++i) {
      const std::uint64_t code = tested->encode((values[i] + values[i + 1]) / 2, unit);
      ASSERT_EQ(code % 2, 0u) << name << " between " << values[i] << " and " << values[i + 1];
    }
  }
}

TEST(Formats, AreMonotone) {
  for (const std::string& name : format_names()) {
    const auto tested = format(name);
    const FormatParameters unit = tested->unit();
    double last = -std::numeric_limits<double>::infinity();
    for (int i = -3000; i <= 3000; ++i) {
      const double value = tested->decode(tested->encode(i * std::abs(i) * 1e-6, unit), unit);
      ASSERT_GE(value, last) << name << " at " << i;
      last = value;
    }
  }
}

TEST(Formats, RoundStochasticallyToEitherNeighbourWithTheRightMean) {
  for (const std::string& name : names_of_at_most(8)) {
    const auto tested = format(name);
    const FormatParameters unit = tested->unit();
    const std::vector<double> values = values_of(*tested, unit);
    const std::size_t middle = values.size() / 2;
    const double below = values[middle - 1];
    const double above = values[middle];
    Random random(7);
    double mean = 0;
    for (int i = 0; i < 4000; ++i) {
      const double value = tested->decode(tested->encode(below + 0.3 * (above - below), unit, {&random}), unit);
      ASSERT_TRUE(value == below || value == above) << name << " " << value;
      mean += (value - below) / (above - below) / 4000;
    }
    EXPECT_NEAR(mean, 0.3, 0.03) << name;
  }
}

TEST(Formats, RoundStochasticallyTheSameWithTheSameSeed) {
  const std::vector<float> values = normal_values(100, 3);
  Random first(11);
  Random second(11);
  Random other(12);
  const auto tested = format("int4");
  const std::vector<float> expected = tested->rounded(values, {}, {&first});
  EXPECT_EQ(expected, tested->rounded(values, {}, {&second}));
  EXPECT_NE(expected, tested->rounded(values, {}, {&other}));
}

TEST(Formats, RoundBackToTheSameValues) {
  const std::vector<float> values = normal_values(64, 9);
  for (const std::string& name : format_names()) {
    const auto tested = format(name);
    const std::vector<float> part(values.begin(), values.begin() + 32);
    const FormatParameters parameters = tested->fit(part);
    for (const float value : part) {
      const double once = tested->decode(tested->encode(value, parameters), parameters);
      ASSERT_EQ(tested->decode(tested->encode(once, parameters), parameters), once) << name;
    }
  }
}

TEST(Formats, RefuseValuesThatAreNotFinite) {
  const std::vector<float> values = {1.0f, std::numeric_limits<float>::quiet_NaN()};
  for (const std::string& name : format_names()) EXPECT_THROW(format(name)->fit(values), ModelError) << name;
  EXPECT_THROW(format("int4")->encode(std::nan(""), {1.0, 0.0}), ModelError);
  EXPECT_THROW(format("f4e2m1")->encode(std::nan(""), {1.0}), ModelError);
  EXPECT_TRUE(std::isnan(format("f8e4m3")->decode(format("f8e4m3")->encode(std::nan(""), {1.0}), {1.0})));
}

TEST(Formats, FitAllZeroAndEmptyBlocks) {
  const std::vector<float> zeros(40, 0.0f);
  for (const std::string& name : format_names()) {
    const auto tested = format(name);
    EXPECT_NO_THROW(tested->fit({})) << name;
    for (const float value : tested->rounded(zeros)) ASSERT_TRUE(std::isfinite(value)) << name;
  }
}

TEST(Formats, SearchScalesOfLessError) {
  const std::vector<float> values = normal_values(512, 21);
  const auto error = [&](const std::vector<float>& rounded) {
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) sum += std::pow(values[i] - rounded[i], 2);
    return sum;
  };
  for (const char* name : {"int4", "int3", "int2", "f4e2m1", "uint4", "log4", "apot4", "fixed8", "mxfp4", "nf4"}) {
    EXPECT_LE(error(format(name)->rounded(values, {.importance = {}, .search = true})),
              error(format(name)->rounded(values)))
        << name;
  }
}

}  // namespace
}  // namespace adze
