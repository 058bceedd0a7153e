#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/reference/one_node.h"

namespace adze {
namespace {

using reference::run_one;
using Floats = std::vector<float>;
using Ints = std::vector<std::int64_t>;
using Texts = std::vector<std::string>;

Tensor cast(const Tensor& tensor, DType to, bool saturate = true) {
  return run_one(OpKind::Cast, {tensor},
                 {{"to", static_cast<std::int64_t>(to)}, {"saturate", std::int64_t{saturate ? 1 : 0}}})[0];
}

template <typename T>
Tensor list(const std::vector<T>& values) {
  return Tensor::from<T>({static_cast<std::int64_t>(values.size())}, values);
}

Texts texts(const Tensor& tensor) {
  const auto data = tensor.data<std::string>();
  return {data.begin(), data.end()};
}

TEST(Cast, WritesFloatsAsNumpyDoes) {
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(texts(cast(list<float>({0.1f, 1, -0.0f, 1e-5f, 1e16f, 123456.75f, inf, -inf}), DType::String)),
            (Texts{"0.1", "1.0", "-0.0", "1e-05", "1e+16", "123456.75", "inf", "-inf"}));
  EXPECT_EQ(texts(cast(list<double>({0.1, 1.0 / 3}), DType::String)), (Texts{"0.1", "0.3333333333333333"}));
  EXPECT_EQ(texts(cast(converted(list<float>({0.1f, 65504}), DType::F16), DType::String)), (Texts{"0.1", "65500.0"}));
  EXPECT_EQ(texts(cast(list<std::int64_t>({-5}), DType::String)), (Texts{"-5"}));
  EXPECT_EQ(texts(cast(list<std::uint64_t>({~std::uint64_t{0}}), DType::String)), (Texts{"18446744073709551615"}));
}

TEST(Cast, ReadsBackEveryFloatItWrites) {
  for (std::uint32_t code = 0; code < 0x7c00; code += 7) {
    Tensor half(DType::F16, {});
    half.set_double(0, Float16::from_bits(static_cast<std::uint16_t>(code)));
    EXPECT_TRUE(identical(cast(cast(half, DType::String), DType::F16), half)) << code;
  }
}

TEST(Cast, ReadsNumbersInEverySpelling) {
  const Tensor found = cast(list<std::string>({"3.5", "1e-3", "+2", "INF", "-inf", "NaN"}), DType::F32);
  EXPECT_EQ(found.get_double(0), 3.5);
  EXPECT_EQ(found.get_double(1), static_cast<double>(1e-3f));
  EXPECT_EQ(found.get_double(2), 2);
  EXPECT_TRUE(std::isinf(found.get_double(3)) && found.get_double(4) < 0 && std::isnan(found.get_double(5)));
  EXPECT_EQ(to_ints(cast(list<std::string>({"9007199254740993", "-7", "1e3"}), DType::S64)),
            (Ints{9007199254740993, -7, 1000}));
  EXPECT_THROW(cast(list<std::string>({"seven"}), DType::F32), ModelError);
  EXPECT_THROW(cast(list<std::string>({"--1"}), DType::F32), ModelError);
}

TEST(Cast, SaturatesFloat8OrDoesNot) {
  const float inf = std::numeric_limits<float>::infinity();
  const Tensor x = list<float>({1000, -1000, inf, 448});
  EXPECT_EQ(to_floats(cast(x, DType::F8E4M3)), (Floats{448, -448, 448, 448}));
  const Floats open = to_floats(cast(x, DType::F8E4M3, false));
  EXPECT_TRUE(std::isnan(open[0]) && std::isnan(open[1]) && std::isnan(open[2]));
  EXPECT_EQ(open[3], 448);
  EXPECT_EQ(to_floats(cast(list<float>({1e6f, -inf}), DType::F8E5M2)), (Floats{57344, -57344}));
  EXPECT_EQ(to_floats(cast(list<float>({1e6f, -inf}), DType::F8E5M2, false)), (Floats{inf, -inf}));
  EXPECT_EQ(to_floats(cast(x, DType::F8E4M3Fnuz))[0], 240);
  EXPECT_TRUE(std::isnan(to_floats(cast(x, DType::F8E5M2Fnuz, false))[2]));
}

TEST(Cast, RoundsDoublesToHalfOnce) {
  // Just above the tie between 1 and 1 + 2^-10: going through float would land on the tie and round to even.
  const double above = 1 + 0x1p-11 + 0x1p-40;
  EXPECT_EQ(cast(list<double>({above}), DType::F16).get_double(0), 1 + 0x1p-10);
  EXPECT_EQ(cast(list<double>({1 + 0x1p-11}), DType::F16).get_double(0), 1);
}

TEST(Cast, PacksFourBits) {
  EXPECT_EQ(to_ints(cast(list<float>({-9, -8, 7.5f, 100, 2.5f}), DType::S4)), (Ints{-8, -8, 7, 7, 2}));
  EXPECT_EQ(to_ints(cast(list<float>({-1, 15, 16}), DType::U4)), (Ints{0, 15, 15}));
  const Tensor packed = cast(list<std::int8_t>({-8, 7, 3}), DType::S4);
  EXPECT_EQ(packed.num_bytes(), 2);
  EXPECT_EQ(to_floats(cast(packed, DType::F32)), (Floats{-8, 7, 3}));
}

TEST(Cast, WrapsIntegersAndTruncatesFloats) {
  EXPECT_EQ(to_ints(cast(list<std::int32_t>({200, -1}), DType::S8)), (Ints{-56, -1}));
  EXPECT_EQ(to_ints(cast(list<float>({-1.9f, 2.9f}), DType::S32)), (Ints{-1, 2}));
  EXPECT_EQ(to_ints(cast(list<float>({0, 0.1f, -3}), DType::Bool)), (Ints{0, 1, 1}));
  EXPECT_THROW(cast(list<float>({0}), DType::C64), ModelError);
}

TEST(CastLike, TakesTheTypeOfItsSecondInput) {
  const Tensor found = run_one(OpKind::CastLike, {list<float>({1.5f}), Tensor(DType::S16, {0})})[0];
  EXPECT_EQ(found.dtype(), DType::S16);
  EXPECT_EQ(to_ints(found), (Ints{1}));
}

}  // namespace
}  // namespace adze
