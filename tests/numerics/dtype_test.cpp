#include "adze/numerics/dtype.h"

#include <gtest/gtest.h>

#include <limits>

#include "adze/base/error.h"

namespace adze {
namespace {

TEST(DType, HasTheNumbersOfOnnx) {
  EXPECT_EQ(static_cast<int>(DType::F32), 1);
  EXPECT_EQ(static_cast<int>(DType::S64), 7);
  EXPECT_EQ(static_cast<int>(DType::BF16), 16);
  EXPECT_EQ(static_cast<int>(DType::S4), 22);
}

TEST(DType, ReadsItsNamesBack) {
  for (int i = 0; i < num_dtypes; ++i) {
    const auto dtype = static_cast<DType>(i);
    EXPECT_EQ(dtype_from_name(dtype_name(dtype)), dtype);
  }
  EXPECT_EQ(dtype_from_name("float"), std::nullopt);
}

TEST(DType, KnowsKindsSizesAndLimits) {
  EXPECT_EQ(dtype_bits(DType::U4), 4);
  EXPECT_EQ(dtype_bits(DType::C128), 128);
  EXPECT_EQ(dtype_bits(DType::String), 0);
  EXPECT_TRUE(is_float(DType::F8E5M2Fnuz));
  EXPECT_FALSE(is_float(DType::C64));
  EXPECT_TRUE(is_integer(DType::S4));
  EXPECT_FALSE(is_integer(DType::Bool));
  EXPECT_FALSE(is_signed_integer(DType::U32));
  EXPECT_EQ(integer_min(DType::S4), -8);
  EXPECT_EQ(integer_max(DType::U4), 15);
  EXPECT_EQ(integer_min(DType::S8), -128);
  EXPECT_EQ(integer_max(DType::U32), 4294967295);
  EXPECT_EQ(integer_min(DType::S64), std::numeric_limits<std::int64_t>::min());
}

TEST(DType, VisitsTheMatchingCppType) {
  for (int i = 0; i < num_dtypes; ++i) {
    const auto dtype = static_cast<DType>(i);
    const bool has_arithmetic =
        (is_float(dtype) || is_integer(dtype) || dtype == DType::Bool) && dtype_bits(dtype) >= 8;
    if (!has_arithmetic) {
      EXPECT_THROW(visit_dtype(dtype, [](auto) {}), UnsupportedError);
      continue;
    }
    visit_dtype(dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      EXPECT_EQ(dtype_of<T>, dtype);
      EXPECT_EQ(static_cast<int>(8 * sizeof(T)), dtype_bits(dtype));
    });
  }
}

}  // namespace
}  // namespace adze
