#include "adze/quantize/presets.h"

#include <gtest/gtest.h>

#include "adze/base/error.h"

namespace adze::quantize {
namespace {

TEST(Presets, SetModeBitsAndBlocks) {
  PtqOptions options;
  apply_preset("int4-g32", options);
  EXPECT_EQ(options.mode, Mode::WeightOnly);
  EXPECT_EQ(options.bits.weights, 4);
  EXPECT_EQ(options.block, 32);
  options = {};
  apply_preset("binary", options);
  EXPECT_EQ(options.bits.weights, 1);
  options = {};
  apply_preset("fp8", options);
  EXPECT_EQ(options.mode, Mode::Float8);
}

TEST(Presets, ChooseGptqUnlessAskedForAnother) {
  PtqOptions options;
  apply_preset("w4a8", options);
  EXPECT_EQ(options.methods.rounding, Rounding::Gptq);
  options = {};
  options.methods.rounding = Rounding::AdaRound;
  apply_preset("w4a8", options);
  EXPECT_EQ(options.methods.rounding, Rounding::AdaRound);
}

TEST(Presets, AllPassTheCheckAndHaveASummary) {
  for (const std::string& name : preset_names()) {
    PtqOptions options;
    apply_preset(name, options);
    EXPECT_NO_THROW(check_options(options)) << name;
    EXPECT_FALSE(preset_summary(name).empty());
  }
}

TEST(Presets, AWrongNameGetsTheNearest) {
  PtqOptions options;
  try {
    apply_preset("int8-dynamc", options);
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("int8-dynamic"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace adze::quantize
