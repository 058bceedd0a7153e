#include "adze/base/text.h"

#include <gtest/gtest.h>

namespace adze {
namespace {

TEST(Text, CatJoinsTextNumbersAndCharacters) {
  EXPECT_EQ(cat("a", 1, 'b', 0.1, std::int64_t{-5}), "a1b0.1-5");
}

TEST(Text, NearestFindsATypo) {
  const std::vector<std::string> names = {"Conv", "ConvTranspose", "Relu"};
  EXPECT_EQ(nearest("Convv", names), "Conv");
  EXPECT_EQ(nearest("Zzzzzz", names), "");
}

TEST(Text, SizesReadAsPeopleWriteThem) {
  EXPECT_EQ(bytes_text(948), "948 B");
  EXPECT_EQ(bytes_text(314573), "307.2 K");
  EXPECT_EQ(count_text(12'500'000), "12.5 M");
}

}  // namespace
}  // namespace adze
