#include "adze/emit/c/weight_codes.h"

#include <gtest/gtest.h>

#include <functional>

#include "adze/base/random.h"

namespace adze::emit {
namespace {

Rows rows_of(std::int64_t count, std::int64_t depth, const std::function<std::int32_t(std::int64_t)>& weight) {
  Rows rows{count, depth, {}};
  for (std::int64_t i = 0; i < count * depth; ++i) rows.values.push_back(weight(i));
  return rows;
}

/// As adze_codes_s8 reads the stream.
std::vector<std::int32_t> decoded(const WeightCodes& codes, std::size_t count) {
  std::size_t at = 0;
  const auto take = [&](int bits) {
    std::uint32_t code = 0;
    for (int i = 0; i < bits; ++i, ++at) {
      const auto byte = static_cast<std::uint8_t>(codes.stream.at(at / 8));
      code |= static_cast<std::uint32_t>(byte >> at % 8 & 1) << i;
    }
    return code;
  };
  std::vector<std::int32_t> weights;
  while (weights.size() < count) {
    if (codes.sparse && take(1) == 0) {
      weights.push_back(0);
      continue;
    }
    const std::uint32_t code = take(codes.bits);
    weights.push_back(codes.bits == 8 ? static_cast<std::int8_t>(code) : codes.values.at(code));
  }
  return weights;
}

TEST(WeightCodes, StoreFourAndTwoBitWeightsInAsMany) {
  Random random(1);
  for (const int bits : {4, 2}) {
    const Rows rows = rows_of(
        8, 60, [&](std::int64_t) { return static_cast<std::int32_t>(random.below(1u << bits)) - (1 << (bits - 1)); });
    const auto codes = weight_codes(rows, 1);
    ASSERT_TRUE(codes);
    EXPECT_EQ(codes->bits, bits);
    EXPECT_FALSE(codes->sparse);
    EXPECT_EQ(std::ssize(codes->stream), 480 * bits / 8);
    EXPECT_EQ(decoded(*codes, rows.values.size()), rows.values);
  }
}

TEST(WeightCodes, LeaveZerosOutWhereThatIsShorter) {
  Random random(2);
  const Rows rows = rows_of(
      4, 100, [&](std::int64_t i) { return i % 5 == 0 ? static_cast<std::int32_t>(random.below(255)) - 127 : 0; });
  const auto codes = weight_codes(rows, 1);
  ASSERT_TRUE(codes);
  EXPECT_TRUE(codes->sparse);
  EXPECT_LT(codes->bytes(), 400 / 8 + 80 + 80);
  EXPECT_EQ(decoded(*codes, rows.values.size()), rows.values);
}

TEST(WeightCodes, UseACodebookForFewValues) {
  const Rows rows = rows_of(3, 100, [](std::int64_t i) { return static_cast<std::int32_t>(i * i % 7) * 17 - 60; });
  const auto codes = weight_codes(rows, 1);
  ASSERT_TRUE(codes);
  EXPECT_LE(codes->bits, 3);
  EXPECT_EQ(decoded(*codes, rows.values.size()), rows.values);
}

TEST(WeightCodes, TakeNoBitsForOneValueAndLeaveFullBytesAlone) {
  const Rows same = rows_of(2, 50, [](std::int64_t) { return 9; });
  const auto codes = weight_codes(same, 1);
  ASSERT_TRUE(codes);
  EXPECT_EQ(codes->bits, 0);
  EXPECT_EQ(decoded(*codes, same.values.size()), same.values);
  EXPECT_FALSE(
      weight_codes(rows_of(2, 256, [](std::int64_t i) { return static_cast<std::int32_t>(i % 256) - 128; }), 1));
}

}  // namespace
}  // namespace adze::emit
