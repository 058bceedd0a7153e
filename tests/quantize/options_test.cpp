#include "adze/quantize/options.h"

#include "adze/base/text.h"

#include <gtest/gtest.h>

#include "adze/base/error.h"

namespace adze::quantize {
namespace {

TEST(MatchesWildcard, KnowsStarsAndQuestionMarks) {
  EXPECT_TRUE(matches_wildcard("conv_1", "conv_1"));
  EXPECT_FALSE(matches_wildcard("conv_1", "conv_12"));
  EXPECT_TRUE(matches_wildcard("conv*", "conv_12"));
  EXPECT_TRUE(matches_wildcard("*/attn/*/q", "block/attn/3/q"));
  EXPECT_FALSE(matches_wildcard("*/attn/*/q", "block/attn/3/k"));
  EXPECT_TRUE(matches_wildcard("conv_?", "conv_7"));
  EXPECT_FALSE(matches_wildcard("conv_?", "conv_"));
  EXPECT_TRUE(matches_wildcard("**", ""));
  EXPECT_FALSE(matches_wildcard("", "x"));
}

TEST(Names, ReadBack) {
  for (const auto mode : {Mode::Static, Mode::Dynamic, Mode::WeightOnly})
    EXPECT_EQ(mode_from_name(mode_name(mode)), mode);
  for (const auto c : {Calibrator::Max, Calibrator::Percentile, Calibrator::Entropy, Calibrator::Mse}) {
    EXPECT_EQ(calibrator_from_name(calibrator_name(c)), c);
  }
  try {
    calibrator_from_name("entropi");
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_NE(error.hint().find("entropy"), std::string::npos);
  }
}

TEST(BitWidths, KnowsActivationsOfSixteenBits) {
  EXPECT_EQ(parse_bit_widths("w8a16"), (BitWidths{8, 16}));
  EXPECT_EQ(bit_widths_text({8, 16}), "w8a16");
  EXPECT_THROW(parse_bit_widths("w8a12"), UsageError);
  PtqOptions options;
  options.bits = {8, 16};
  check_options(options);
  options.mode = Mode::Dynamic;
  EXPECT_THROW(check_options(options), UsageError);
  options = {};
  options.layer_bits = {{"conv1", {8, 16}}};
  EXPECT_THROW(check_options(options), UsageError);
}

TEST(CheckOptions, RefusesWhatCannotBe) {
  PtqOptions options;
  check_options(options);
  options.percentile = 101;
  EXPECT_THROW(check_options(options), UsageError);
  options = {};
  options.activation_dtype = DType::S16;
  EXPECT_THROW(check_options(options), UsageError);
}

}  // namespace
}  // namespace adze::quantize
