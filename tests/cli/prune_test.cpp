#include <gtest/gtest.h>

#include "adze/base/text.h"
#include "adze/device/process.h"
#include "tests/cli/command.h"

namespace adze {
namespace {

constexpr const char* judged = " --data demo:test --samples 200 --json";

double top1(const std::string& model) {
  const auto result = adze(cat("evaluate ", model, judged));
  EXPECT_EQ(result.code, 0) << result.err;
  return result.results().at("top1").get<double>();
}

double agreement(const std::string& a, const std::string& b) {
  const auto result = adze(cat("compare ", a, " ", b, judged));
  EXPECT_EQ(result.code, 0) << result.err;
  return result.results().at("agreement").get<double>();
}

/// Prunes the demo network and quantizes the result, each also as TFLite.
void prune_quantize_and_convert(const std::string& how) {
  for (const std::string& command :
       {cat("prune -f ", demo_model(), " -o p.onnx --data demo:train --samples 48 --seed 1 ", how),
        std::string("quantize -f p.onnx -o q.onnx --calibration demo:train --samples 48"),
        std::string("convert -f p.onnx p.tflite"), std::string("convert -f q.onnx q.tflite"),
        std::string("convert -f --sparse q.onnx s.onnx")}) {
    const auto result = adze(command);
    ASSERT_EQ(result.code, 0) << command << "\n" << result.err;
  }
}

TEST(CliPrune, PrunedAndQuantizedNetworksComputeTheSameInEveryFormat) {
  for (const std::string how : {"--target-macs 0.8 --criterion wanda --reconstruct",
                                "--unit weights --ratio 0.3 --criterion wanda --spread sensitivity"}) {
    prune_quantize_and_convert(how);
    const double dense = top1(demo_model()), pruned = top1("p.onnx");
    EXPECT_GT(pruned, dense - 0.2) << how;
    EXPECT_EQ(top1("p.tflite"), pruned) << how;
    EXPECT_GT(top1("q.onnx"), pruned - 0.04) << how;
    EXPECT_GT(agreement("q.onnx", "q.tflite"), 0.97) << how;  // rounded in different ways
    EXPECT_EQ(agreement("q.onnx", "s.onnx"), 1) << how;
  }
}

TEST(CliPrune, PrunedAndQuantizedNetworksRunAsCode) {
  if (!device::find_program("arm-none-eabi-gcc") || !device::find_program("qemu-system-arm")) {
    GTEST_SKIP() << "skipped: no arm-none-eabi-gcc or no qemu-system-arm";
  }
  prune_quantize_and_convert("--ratio 0.4");
  for (const std::string model : {"q.onnx", "q.tflite"}) {
    const auto result = adze(cat("emit c -f ", model, " -o code --core cortex-m4 --golden 1 --check"));
    EXPECT_EQ(result.code, 0) << model << "\n" << result.err;
  }
}

TEST(CliPrune, SharesOutOfRangeAreRefused) {
  for (const std::string how :
       {"--ratio 1", "--ratio nan", "--ratio -0.5", "--target-macs -0.5", "--target-params 1", "--target-macs nan",
        "--unit 4:2", "--layer-ratio Conv_1", "--layer-ratio Conv*=1", "--layer-ratio nothing=0.5", "--skip nothing", "--unit block=0x1", "--unit wights", "--ratio 0.5 --target-macs 0.5", "--max-ratio 1.5"}) {
    const auto result = adze(cat("prune -f ", demo_model(), " -o p.onnx ", how));
    EXPECT_EQ(result.code, 2) << how << "\n" << result.err;
  }
}

}  // namespace
}  // namespace adze
