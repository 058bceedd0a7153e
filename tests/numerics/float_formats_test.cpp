#include "adze/numerics/float_formats.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "adze/base/random.h"

namespace adze {
namespace {

struct NamedFormat {
  const char* name;
  FloatFormat format;
};

constexpr NamedFormat formats[] = {{"f16", f16_format},
                                   {"bf16", bf16_format},
                                   {"f8e4m3", f8e4m3_format},
                                   {"f8e5m2", f8e5m2_format},
                                   {"f8e4m3fnuz", f8e4m3fnuz_format},
                                   {"f8e5m2fnuz", f8e5m2fnuz_format}};

std::uint32_t num_codes(FloatFormat format) {
  return 1u << (1 + format.exponent_bits + format.mantissa_bits);
}

/// The value by the definition, in double; nothing for infinities and NaNs.
double defined_value(FloatFormat format, std::uint32_t code) {
  const std::uint32_t mantissa = code % (1u << format.mantissa_bits);
  const std::uint32_t exponent = (code >> format.mantissa_bits) % (1u << format.exponent_bits);
  const double sign = code >= num_codes(format) / 2 ? -1 : 1;
  const double fraction = mantissa / std::pow(2.0, format.mantissa_bits);
  if (exponent == 0) return sign * std::pow(2.0, 1 - format.bias) * fraction;
  return sign * std::pow(2.0, static_cast<int>(exponent) - format.bias) * (1 + fraction);
}

TEST(FloatFormats, DecodeEveryCodeAsDefined) {
  for (const auto& [name, format] : formats) {
    for (std::uint32_t code = 0; code < num_codes(format); ++code) {
      const float value = decode_float(format, code);
      if (!std::isfinite(value)) continue;
      ASSERT_EQ(static_cast<double>(value), defined_value(format, code)) << name << " " << code;
    }
  }
}

TEST(FloatFormats, EncodeWhatTheyDecodeExhaustively) {
  for (const auto& [name, format] : formats) {
    for (std::uint32_t code = 0; code < num_codes(format); ++code) {
      const float value = decode_float(format, code);
      const std::uint32_t back = encode_float(format, value);
      if (std::isnan(value)) {
        ASSERT_TRUE(std::isnan(decode_float(format, back))) << name << " " << code;
      } else {
        ASSERT_EQ(back, code) << name;
      }
    }
  }
}

/// The non-negative finite values of a format, ascending; their index is their code.
std::vector<double> finite_values(FloatFormat format) {
  std::vector<double> values;
  for (std::uint32_t code = 0; code < num_codes(format) / 2; ++code) {
    const float value = decode_float(format, code);
    if (std::isfinite(value)) values.push_back(value);
  }
  return values;
}

/// The nearest code, ties to even, by search.
std::uint32_t nearest_code(const std::vector<double>& values, double magnitude) {
  const auto above = std::lower_bound(values.begin(), values.end(), magnitude) - values.begin();
  if (above == 0) return 0;
  const auto below = static_cast<std::size_t>(above - 1), next = static_cast<std::size_t>(above);
  if (next == values.size()) return static_cast<std::uint32_t>(below);
  const double down = magnitude - values[below], up = values[next] - magnitude;
  if (down != up) return static_cast<std::uint32_t>(down < up ? below : next);
  return static_cast<std::uint32_t>(below % 2 == 0 ? below : next);
}

TEST(FloatFormats, RoundToNearestEvenAtEveryMidpoint) {
  for (const auto& [name, format] : formats) {
    const std::vector<double> values = finite_values(format);
    for (std::size_t i = 0; i + 1 < values.size(); ++i) {
      const double middle = (values[i] + values[i + 1]) / 2;
      for (const double x : {middle, std::nextafter(middle, 0.0), std::nextafter(middle, 1e300)}) {
        const auto input = static_cast<float>(x);  // may move the neighbours onto the midpoint: the oracle sees it too
        ASSERT_EQ(encode_float(format, input), nearest_code(values, input)) << name << " " << input;
      }
    }
  }
}

TEST(FloatFormats, RoundRandomValuesLikeTheOracle) {
  Random random(7);
  for (const auto& [name, format] : formats) {
    const std::vector<double> values = finite_values(format);
    for (int i = 0; i < 5000; ++i) {
      const auto x = static_cast<float>(std::exp2(random.uniform(-30, 8)) * (random.below(2) == 0 ? 1 : -1));
      if (std::abs(x) > values.back()) continue;
      std::uint32_t expected = nearest_code(values, std::abs(x));
      if (x < 0 && (expected != 0 || !format.unsigned_zero)) expected |= num_codes(format) / 2;
      ASSERT_EQ(encode_float(format, x), expected) << name << " " << x;
    }
  }
}

TEST(FloatFormats, HaveTheKnownLimits) {
  EXPECT_EQ(max_finite(f16_format), 65504);
  EXPECT_EQ(max_finite(bf16_format), 0x1.FEp127f);
  EXPECT_EQ(max_finite(f8e4m3_format), 448);
  EXPECT_EQ(max_finite(f8e5m2_format), 57344);
  EXPECT_EQ(max_finite(f8e4m3fnuz_format), 240);
  EXPECT_EQ(max_finite(f8e5m2fnuz_format), 57344);
  EXPECT_EQ(decode_float(f8e4m3_format, 0x01), 0x1p-9f);  // smallest subnormals
  EXPECT_EQ(decode_float(f8e5m2_format, 0x01), 0x1p-16f);
  EXPECT_EQ(decode_float(f8e4m3fnuz_format, 0x01), 0x1p-10f);
  EXPECT_EQ(decode_float(f8e5m2fnuz_format, 0x01), 0x1p-17f);
  EXPECT_EQ(decode_float(f8e4m3_format, 0x38), 1);
  EXPECT_EQ(decode_float(f8e4m3fnuz_format, 0x40), 1);
}

TEST(FloatFormats, PlaceTheirSpecialValues) {
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(decode_float(f8e5m2_format, 0x7C), inf);
  EXPECT_EQ(decode_float(f8e5m2_format, 0xFC), -inf);
  EXPECT_TRUE(std::isnan(decode_float(f8e5m2_format, 0x7D)));
  EXPECT_TRUE(std::isnan(decode_float(f8e4m3_format, 0x7F)));
  EXPECT_TRUE(std::isnan(decode_float(f8e4m3_format, 0xFF)));
  EXPECT_EQ(decode_float(f8e4m3_format, 0x7E), 448);
  for (const FloatFormat format : {f8e4m3fnuz_format, f8e5m2fnuz_format}) {
    EXPECT_TRUE(std::isnan(decode_float(format, 0x80)));
    EXPECT_EQ(encode_float(format, -0.0f), 0u);
    EXPECT_EQ(encode_float(format, -1e-30f), 0u);
    EXPECT_EQ(encode_float(format, inf), 0x80u);
  }
  EXPECT_EQ(encode_float(f16_format, -0.0f), 0x8000u);
}

TEST(FloatFormats, OverflowAsTheyAreTold) {
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(encode_float(f16_format, 65520), 0x7C00u);  // halfway to 65536 rounds away
  EXPECT_EQ(encode_float(f16_format, 65519), 0x7BFFu);
  EXPECT_EQ(decode_float(f16_format, encode_float(f16_format, -inf, Overflow::Saturate)), -65504);
  EXPECT_EQ(decode_float(f8e4m3_format, encode_float(f8e4m3_format, 1e9f, Overflow::Saturate)), 448);
  EXPECT_TRUE(std::isnan(decode_float(f8e4m3_format, encode_float(f8e4m3_format, 1e9f))));
  EXPECT_TRUE(std::isnan(decode_float(f8e5m2_format, encode_float(f8e5m2_format, 1e9f, Overflow::ToNan))));
  EXPECT_EQ(decode_float(f8e5m2_format, encode_float(f8e5m2_format, 1e9f)), inf);
}

}  // namespace
}  // namespace adze
