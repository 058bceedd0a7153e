#include <gtest/gtest.h>

#include <filesystem>

#include "adze/base/files.h"
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

TEST(CliPrune, SaysHowMuchFasterAndWhichZerosAreSkipped) {
  const auto result = adze(cat("prune -f ", demo_model(), " -o p.onnx --unit weights --ratio 0.3 --json"));
  ASSERT_EQ(result.code, 0) << result.err;
  const auto speedup = result.results().at("speedup");
  EXPECT_GT(speedup.at("low").get<double>(), 0);
  EXPECT_LE(speedup.at("low").get<double>(), speedup.at("times").get<double>());
  EXPECT_LE(speedup.at("times").get<double>(), speedup.at("high").get<double>());
  EXPECT_TRUE(result.results().at("skipping_zeros").at("layers").empty());
}

TEST(CliConvert, SaysWhatSparseInitializersSave) {
  ASSERT_EQ(adze(cat("prune -f ", demo_model(), " -o p.onnx --unit weights --ratio 0.9")).code, 0);
  const auto sparse = adze("convert -f p.onnx s.onnx --sparse --json"),
             dense = adze(cat("convert -f ", demo_model(), " s.onnx --sparse --json"));
  EXPECT_GT(sparse.results().at("sparse_initializers").at("saved_bytes").get<int>(), 1000);
  EXPECT_EQ(dense.results().at("sparse_initializers").at("tensors").get<int>(), 0);
  EXPECT_EQ(adze("convert -f p.onnx s.tflite --sparse").code, 2);
  EXPECT_EQ(adze(cat("prune -f ", demo_model(), " -o p.tflite --unit weights --ratio 0.9 --sparse")).code, 2);
}

TEST(CliBench, RunsTwoModelsByTurns) {
  const auto result = adze("bench zoo:lenet300 --against zoo:lenet5 --time-budget 0 --json");
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_GE(result.results().at("model").at("runs").get<int>(), 10);
  EXPECT_GE(result.results().at("against").at("runs").get<int>(), 10);
  EXPECT_GT(result.results().at("speedup").get<double>(), 0);
  EXPECT_EQ(adze("bench zoo:lenet300 --against zoo:lenet5 --per-layer").code, 2);
  EXPECT_EQ(adze("bench zoo:lenet300 --against nothing.onnx").code, 3);
}

TEST(CliPrune, ZerosAreVerifiedInEveryFormat) {
  prune_quantize_and_convert("--unit block=8x1 --ratio 0.5");
  for (const std::string file : {"p.onnx", "q.onnx", "p.tflite", "q.tflite", "s.onnx"}) {
    const auto zeros = adze(cat("inspect --json ", file)).results().at("zeros");
    EXPECT_TRUE(zeros.at("kept").get<bool>()) << file;
    EXPECT_GE(zeros.at("zeros").get<double>(), 0.48 * zeros.at("weights").get<double>()) << file;
  }
  ASSERT_EQ(adze("convert -f p.onnx p.adze").code, 0);
  std::string text = read_text_file(work_folder() / "p.adze");
  const std::size_t at = text.find("zeros=");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, text.find('"', at) - at, "zeros=99999/100000");  // as if pruning had left one weight
  write_file(work_folder() / "lost.adze", text);
  const auto lost = adze("inspect lost.adze");
  EXPECT_NE(lost.err.find("zeros were lost"), std::string::npos) << lost.err;
}

TEST(CliPrune, GoesOnFromItsStateAndReportsEveryRound) {
#ifndef ADZE_HAS_TORCH
  GTEST_SKIP() << "skipped: built without libtorch";
#endif
  std::filesystem::remove_all(work_folder() / "kept");
  const std::string command = cat("prune -f ", demo_model(), " --unit weights --ratio 0.5 --schedule gradual ",
                                  "--change-every 2 --tune-epochs 2 --data demo:train --train-samples 200 --batch 32 ",
                                  "--threads 1 --state kept --report page.html");
  const auto first = adze(cat(command, " -o first.onnx"));
  ASSERT_EQ(first.code, 0) << first.err;
  ASSERT_TRUE(std::filesystem::exists(work_folder() / "kept" / "gradual.checkpoint"));
  const std::string page = read_text_file(work_folder() / "page.html", std::int64_t{1} << 22);
  EXPECT_NE(page.find("\"name\":\"epoch 2\""), std::string::npos);
  EXPECT_NE(page.find("\"correct_before\""), std::string::npos);
  const auto again = adze(cat(command, " -o again.onnx"));
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(read_text_file(work_folder() / "again.onnx", std::int64_t{1} << 24),
            read_text_file(work_folder() / "first.onnx", std::int64_t{1} << 24));
  const auto other = adze(cat(command, " -o other.onnx --max-ratio 0.8"));
  EXPECT_EQ(other.code, 2);
  EXPECT_NE(other.err.find("max-ratio"), std::string::npos) << other.err;
  EXPECT_NE(read_text_file(work_folder() / "first.onnx", std::int64_t{1} << 24).find("zeros="), std::string::npos);
}

TEST(CliPrune, ReportsBlocksThatWereGoneAround) {
  const auto result = adze(
      "prune -f zoo:resnet8,classes=12 -o p.onnx --unit blocks --ratio 0.6 --data demo:train --samples 8 "
      "--judge-samples 20 --report page.html");
  ASSERT_EQ(result.code, 0) << result.err;
}

TEST(CliPrune, WhatIsRefusedIsOnThePageAndNotWritten) {
  for (const std::string limit : {"--max-drop 0%", "--ratio 0.3 --max-slice-drop 1%"}) {
    std::filesystem::remove(work_folder() / "p.onnx");
    const auto result = adze(cat("prune -f ", demo_model(), " -o p.onnx --data demo:train --samples 8 ", limit,
                                 " --judge-samples 100 --report page.html --json"));
    EXPECT_EQ(result.code, 5) << result.err;
    EXPECT_FALSE(std::filesystem::exists(work_folder() / "p.onnx"));
    const std::string why = result.results().at("refusal");
    EXPECT_NE(why.find(" points"), std::string::npos) << why;
    const std::string page = read_text_file(work_folder() / "page.html", std::int64_t{1} << 22);
    EXPECT_NE(page.find(cat("\"refusal\":\"Refused, no network is written: ", why)), std::string::npos) << why;
    EXPECT_NE(page.find("\"correct_before\""), std::string::npos);
    EXPECT_NE(page.find("\"label\""), std::string::npos) << "newly wrong samples";
    EXPECT_EQ(page.find("\"title\":\"Ratios\"") != std::string::npos, limit.starts_with("--max-drop"));
  }
}

TEST(CliPrune, OptionsOutOfRangeOrWithoutEffectAreRefused) {
  for (const std::string how : {"--ratio 1",
                                "--ratio nan",
                                "--ratio -0.5",
                                "--target-macs -0.5",
                                "--target-params 1",
                                "--target-macs nan",
                                "--round-to 0",
                                "--min-units 0",
                                "--rounds 3",
                                "--device cortex-m4",
                                "--drawing d.svg",
                                "--state s",
                                "--dry-run --report p.html",
                                "--distil",
                                "--skip nothere*",
                                "--layer-ratio Conv_1",
                                "--layer-ratio Conv*=1",
                                "--layer-ratio nothing=0.5",
                                "--unit 2:4 --ratio 0.5",
                                "--reconstruct",
                                "--max-drop 1%",
                                "--max-drop 1% --ratio 0.5 --data demo:train",
                                "--tune-epochs -1",
                                "--unit 4:2",
                                "--unit weights --schedule lottery --distil",
                                "--unit weights --schedule regrow --criterion lamp",
                                "--unit block=0x1",
                                "--unit wights",
                                "--ratio 0.5 --target-macs 0.5",
                                "--max-ratio 1.5"}) {
    const auto result = adze(cat("prune -f ", demo_model(), " -o p.onnx ", how));
    EXPECT_EQ(result.code, 2) << how << "\n" << result.err;
  }
}

}  // namespace
}  // namespace adze
