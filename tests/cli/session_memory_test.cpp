#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "adze/base/text.h"
#include "tests/cli/command.h"

namespace adze {
namespace {

TEST(SessionMemory, StaysBelowItsBound) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers keep freed memory";
#endif
  for (const char* network : {"mobilenetv2,int8", "mobilenetv1", "mobilenetv1_025_96", "encoder4x256",
                              "encoder4x256,int8", "mobilenetv3s,int8"}) {
    const CommandResult converted = adze(cat("convert zoo:", network, " model.onnx --force"));
    ASSERT_EQ(converted.code, 0) << converted.err;
    const auto expect_within = [&](const std::string& arguments) {
      double packed = 0, arena = 0, peak = std::numeric_limits<double>::infinity();
      // What else the system counts to a process varies by some hundred kilobytes: the least of a few runs.
      for (int run = 0; run < 3; ++run) {
        const CommandResult bench = adze(cat("bench model.onnx --threads 1 --time-budget 0 --json", arguments));
        ASSERT_EQ(bench.code, 0) << bench.err;
        const auto results = bench.results();
        packed = results.at("packed_weight_bytes");
        arena = results.at("arena_bytes");
        peak = std::min<double>(peak, results.at("peak_memory_bytes"));
      }
      EXPECT_GT(packed, 100'000) << network;
      EXPECT_GT(peak, arena / 2) << network;
      EXPECT_LE(peak, 1.3 * packed + arena + (2 << 20))
          << network << arguments << ": packed " << packed << " arena " << arena;
    };
    expect_within("");
    adze("bench model.onnx --threads 1 --time-budget 0 --weight-file weights");
    expect_within(" --weight-file weights");
    std::filesystem::remove(work_folder() / "weights");
  }
}

}  // namespace
}  // namespace adze
