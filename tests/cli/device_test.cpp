#include <gtest/gtest.h>

#include "adze/base/files.h"
#include "adze/base/text.h"
#include "tests/cli/command.h"

namespace adze {
namespace {

TEST(Device, ListsAndShowsWithSources) {
  const auto devices = adze("device list --json").results().at("devices");
  EXPECT_GE(devices.size(), 17u);
  const auto board = adze("device show nrf52840 --json").results();
  EXPECT_EQ(board.at("core"), "cortex-m4");
  EXPECT_EQ(board.at("memories").at(0).at("bytes"), 1048576);
  EXPECT_FALSE(board.at("measured_here").get<bool>());
  EXPECT_EQ(adze("device show nothing").code, 2);
}

TEST(Device, ReadsAProfileFromAFile) {
  write_file(work_folder() / "mine.toml",
             std::string_view("schema = \"adze.device/1\"\nname = \"mine\"\nextends = \"nrf52840\"\nclock_hz = 1e6\n"));
  EXPECT_EQ(adze("device show mine.toml --json").results().at("clock_hz"), 1e6);
}

TEST(Device, WithoutToolchainCheckIsARemarkAndBenchAnError) {
  const std::string quantized = "quantize " + demo_model() + " --calibration demo:train --samples 16 -o q.onnx --force";
  ASSERT_EQ(adze(quantized).code, 0);
  const CommandResult check = adze("emit c q.onnx -o out --force --device cortex-m4 --check", "PATH=/nowhere");
  EXPECT_EQ(check.code, 0) << check.err;
  EXPECT_NE(check.err.find("arm-none-eabi-gcc is not installed"), std::string::npos) << check.err;
  const CommandResult bench = adze("bench q.onnx --device cortex-m4", "PATH=/nowhere");
  EXPECT_EQ(bench.code, 4) << bench.err;
  EXPECT_NE(bench.err.find("arm-none-eabi-gcc is not installed"), std::string::npos) << bench.err;
}

TEST(Device, ProfileDrawsThePlan) {
  ASSERT_EQ(adze("quantize " + demo_model() + " --calibration demo:train --samples 16 -o q.onnx --force").code, 0);
  const CommandResult run = adze("profile q.onnx --device stm32f746 --plan --svg arena.svg --force --json");
  ASSERT_EQ(run.code, 0) << run.err;
  const auto results = run.results();
  EXPECT_TRUE(results.at("ram").at("fits").get<bool>());
  EXPECT_TRUE(results.at("flash").at("fits").get<bool>());
  EXPECT_GE(results.at("gap_bytes").get<std::int64_t>(), 0);
  const auto& steps = results.at("plan").at("steps");
  const auto peak = results.at("peak").at("step").get<std::size_t>();
  for (const auto& step : steps) EXPECT_LE(step.at("bytes"), steps.at(peak).at("bytes"));
  EXPECT_NE(read_text_file(work_folder() / "arena.svg").find("</svg>"), std::string::npos);
  EXPECT_EQ(adze("profile q.onnx --device stm32f746").code, 2);
}

/// A device whose fast RAM takes a part of the arena only.
TEST(Device, ActivationsLieInTheMemoriesOfTheProfile) {
  ASSERT_EQ(adze("quantize " + demo_model() + " --calibration demo:train --samples 16 -o q.onnx --force").code, 0);
  const auto whole = adze("profile q.onnx --device cortex-m7 --plan --json").results();
  EXPECT_TRUE(whole.at("plan").at("memories").empty());
  const auto arena = whole.at("arena_bytes").get<std::int64_t>();
  const std::int64_t fast = arena * 2 / 3;
  const std::string source = "source = \"made up\"\n";
  write_file(work_folder() / "two.toml",
             cat("schema = \"adze.device/1\"\nname = \"two\"\nextends = \"cortex-m7\"\nclock_hz = 1e6\n",
                 "[[memory]]\nname = \"big\"\nkind = \"ram\"\nbytes = 1000000\n", source,
                 "[[memory]]\nname = \"tcm\"\nkind = \"fast_ram\"\nbytes = ", fast + 4096, "\n", source));
  const auto plan = adze("profile q.onnx --device two.toml --plan --json").results().at("plan");
  const auto& memories = plan.at("memories");
  ASSERT_EQ(memories.size(), 2u);
  EXPECT_EQ(memories.at(0).at("name"), "tcm");
  EXPECT_LE(memories.at(0).at("used_bytes").get<std::int64_t>(), fast);
  EXPECT_GT(memories.at(1).at("used_bytes").get<std::int64_t>(), 0);
  const auto border = memories.at(1).at("offset").get<std::int64_t>();
  for (const auto& block : plan.at("blocks")) {
    const auto at = block.at("offset").get<std::int64_t>();
    EXPECT_FALSE(at < border && at + block.at("bytes").get<std::int64_t>() > border) << block.at("name");
  }
  const CommandResult run = adze("bench q.onnx --device two.toml --json");
  if (run.code == 4) GTEST_SKIP() << "skipped: " << run.err;
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_TRUE(run.results().at("bytes_equal").get<bool>());
}

TEST(Device, BenchGivesTheFieldsThatScriptsRelyOn) {
  ASSERT_EQ(adze("quantize " + demo_model() + " --calibration demo:train --samples 16 -o q.onnx --force").code, 0);
  const CommandResult run = adze("bench q.onnx --device stm32f746 --json");
  if (run.code == 4) GTEST_SKIP() << "skipped: " << run.err;
  ASSERT_EQ(run.code, 0) << run.err;
  const auto results = run.results();
  EXPECT_EQ(results.at("device"), "stm32f746");
  EXPECT_TRUE(results.at("bytes_equal").get<bool>());
  EXPECT_GT(results.at("instructions").get<std::int64_t>(), 10'000);
  EXPECT_GT(results.at("stack_bytes").get<std::int64_t>(), 0);
  EXPECT_GE(results.at("ram_bytes").get<std::int64_t>(),
            results.at("arena_bytes").get<std::int64_t>() + results.at("stack_bytes").get<std::int64_t>());
  EXPECT_GE(results.at("arena_bytes").get<std::int64_t>(), results.at("lower_bound_bytes").get<std::int64_t>());
  EXPECT_GT(results.at("flash_bytes").get<std::int64_t>(), 1000);
  std::int64_t sum = 0;
  for (const auto& layer : results.at("layers")) sum += layer.at("instructions").get<std::int64_t>();
  EXPECT_EQ(sum, results.at("instructions").get<std::int64_t>());
  EXPECT_EQ(results.at("cost").at("basis"), "estimated");
}

}  // namespace
}  // namespace adze
