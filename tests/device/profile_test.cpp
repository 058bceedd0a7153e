#include "adze/device/profile.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "adze/base/error.h"
#include "adze/device/cost.h"

namespace adze::device {
namespace {

std::string message_of(const std::string& text) {
  try {
    parse_profile(text, "mine.toml");
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Profile, every_built_in_one_is_complete_and_says_where_its_figures_come_from) {
  const auto names = profile_names();
  for (const char* wanted :
       {"cortex-m0plus", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55", "esp32", "rv32", "nrf52840", "stm32f407",
        "stm32f746", "stm32h743", "stm32l476", "rp2040", "apollo4", "arduino-nano-33-ble", "nicla-vision", "host"}) {
    EXPECT_NE(std::find(names.begin(), names.end(), wanted), names.end()) << wanted;
  }
  for (const std::string& name : names) {
    const Profile profile = load_profile(name);
    EXPECT_EQ(profile.name, name);
    EXPECT_FALSE(profile.clock_source.empty()) << name;
    EXPECT_FALSE(profile.measured_here) << name;
    for (const Memory& memory : profile.memories) EXPECT_FALSE(memory.source.empty()) << name;
    if (!profile.core.empty()) {
      ASSERT_TRUE(profile.cycles) << name;
      EXPECT_NE(profile.cycles->source.find("ot measured here"), std::string::npos) << name;
      EXPECT_GT(profile.clock_hz, 1e6) << name;
    }
    if (profile.energy.joules_per_cycle) {
      EXPECT_NE(profile.energy.source.find("ot measured here"), std::string::npos) << name;
    }
  }
}

TEST(Profile, of_a_board_takes_over_its_cores_model) {
  const Profile board = load_profile("arduino-nano-33-ble");
  EXPECT_EQ(board.core, "cortex-m4");
  EXPECT_EQ(board.bytes_of(MemoryKind::Ram), 256 * 1024);
  EXPECT_EQ(board.bytes_of(MemoryKind::FastRam), std::nullopt);
  EXPECT_EQ(board.cycles->per_instruction, load_profile("cortex-m4").cycles->per_instruction);
  EXPECT_DOUBLE_EQ(*board.energy.joules_per_cycle, 156e-12);
  EXPECT_GT(board.cycles->error, load_profile("cortex-m4").cycles->error);  // its flash has wait states
  EXPECT_NE(board.cycles->source.find("This part"), std::string::npos);
}

TEST(Profile, errors_name_file_line_and_what_was_expected) {
  EXPECT_NE(message_of("schema = \"adze.device/1\"\nname = \"x\"\nclok_hz = 1").find("line 3"), std::string::npos);
  EXPECT_NE(message_of("schema = \"adze.device/1\"\nname = \"x\"\nclok_hz = 1").find("clok_hz"), std::string::npos);
  EXPECT_NE(message_of("schema = \"adze.device/1\"\nname = \"x\"\nclock_hz = -1").find("expected 0 to"),
            std::string::npos);
  EXPECT_NE(message_of("name = \"x\"").find("adze.device/1"), std::string::npos);
  EXPECT_NE(message_of("schema = \"adze.device/1\"\nname = \"x\"\nextends = \"y\"").find("no built-in"),
            std::string::npos);
  EXPECT_NE(message_of("schema = \"adze.device/1\"\nname = \"x\"\n[[memory]]\nname = \"m\"\nbytes = 1\nkind = \"rom\"\n"
                       "source = \"s\"")
                .find("flash, ram or fast_ram"),
            std::string::npos);
  EXPECT_NE(message_of("schema = \"adze.device/1\"\nname = \"x\"\n[cycles]\nload = 1\n").find("store"),
            std::string::npos);
  EXPECT_NE(message_of("not toml").find("line 1"), std::string::npos);
  EXPECT_THROW(load_profile("cortex-m99"), UsageError);
}

TEST(Cost, is_the_weighted_sum_of_the_instruction_classes) {
  Profile profile = load_profile("nrf52840");
  profile.cycles->per_instruction = {2, 1, 1, 7, 2, 1, 1, 1, 1, 0.5};
  InstructionMix mix;
  mix[InstructionClass::Load] = 100;
  mix[InstructionClass::Divide] = 2;
  mix[InstructionClass::Other] = 50;
  mix[InstructionClass::ExtraWords] = 20;
  EXPECT_EQ(mix.instructions(), 152);
  const auto cost = estimate_cost(mix, profile);
  ASSERT_TRUE(cost);
  EXPECT_DOUBLE_EQ(cost->cycles, 200 + 14 + 50 + 10);
  EXPECT_DOUBLE_EQ(*cost->seconds, 274 / 64e6);
  EXPECT_DOUBLE_EQ(*cost->joules, 274 * 156e-12);
  EXPECT_EQ(cost->basis, Basis::Estimated);
  EXPECT_GT(cost->joules_error, cost->cycles_error);
  EXPECT_FALSE(estimate_cost(mix, load_profile("host")));
  EXPECT_FALSE(estimate_cost(mix, load_profile("stm32f746"))->joules);
}

}  // namespace
}  // namespace adze::device
