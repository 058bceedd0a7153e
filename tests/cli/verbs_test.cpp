#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "adze/base/text.h"
#include "adze/data/npy.h"
#include "tests/cli/command.h"

namespace adze {
namespace {

TEST(Cli, HelpListsEveryVerbAndEachVerbShowsExamples) {
  const CommandResult help = adze("--help");
  EXPECT_EQ(help.code, 0);
  for (const char* verb : {"inspect", "convert", "slim", "quantize", "optimize", "evaluate", "compare", "run", "bench",
                           "recipe", "doctor", "demo", "device", "emit", "profile"}) {
    EXPECT_NE(help.out.find(verb), std::string::npos) << verb;
    const CommandResult one = adze(cat(verb, " --help"));
    EXPECT_EQ(one.code, 0) << verb;
    EXPECT_NE(one.out.find("Examples:"), std::string::npos) << verb;
    EXPECT_NE(one.out.find("--json"), std::string::npos) << verb;
  }
}

TEST(Cli, UnknownVerbAndOptionGetTheNearestSpelling) {
  const CommandResult verb = adze("inpsect x.onnx");
  EXPECT_EQ(verb.code, 2);
  EXPECT_NE(verb.err.find("inspect"), std::string::npos) << verb.err;
  const CommandResult option = adze(cat("quantize ", demo_model(), " -o q.onnx --calibratoin x"));
  EXPECT_EQ(option.code, 2);
  EXPECT_NE(option.err.find("--calibration"), std::string::npos) << option.err;
}

TEST(Cli, InspectGivesTheFieldsThatScriptsRelyOn) {
  const auto results = adze(cat("inspect --json ", demo_model())).results();
  EXPECT_GT(results.at("parameters").get<int>(), 1000);
  EXPECT_GT(results.at("macs").get<int>(), 10000);
  EXPECT_GT(results.at("file_bytes").get<int>(), 1000);
  EXPECT_GT(results.at("peak_activation_bytes").get<int>(), 1000);
}

TEST(Cli, ConvertToTextAndBackKeepsTheModel) {
  ASSERT_EQ(adze(cat("convert -f ", demo_model(), " demo.adze")).code, 0);
  ASSERT_EQ(adze("convert -f demo.adze again.onnx").code, 0);
  ASSERT_EQ(adze(cat("run -f ", demo_model(), " --seed 3 -o a.npy")).code, 0);
  ASSERT_EQ(adze("run -f again.onnx --seed 3 -o b.npy").code, 0);
  EXPECT_TRUE(identical(read_npy(work_folder() / "a.npy"), read_npy(work_folder() / "b.npy")));
}

TEST(Cli, SlimVerifiesAndFoldsTheBatchNorms) {
  const auto result = adze(cat("slim -f --json ", demo_model(), " slim.onnx"));
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_TRUE(result.results().at("verified").get<bool>());
  EXPECT_LT(result.results().at("after").at("nodes").get<int>(), result.results().at("before").at("nodes").get<int>());
}

TEST(Cli, QuantizeEvaluateCompareAndBenchWorkTogether) {
  ASSERT_EQ(adze(cat("quantize -f ", demo_model(), " -o q.onnx --calibration demo:train --samples 64")).code, 0);
  const auto evaluated = adze("evaluate q.onnx --data demo:test --samples 240 --json");
  ASSERT_EQ(evaluated.code, 0) << evaluated.err;
  const auto accuracy = evaluated.results();
  EXPECT_EQ(accuracy.at("samples"), 240);
  EXPECT_GT(accuracy.at("top1").get<double>(), 0.8);
  EXPECT_LT(accuracy.at("interval")[0].get<double>(), accuracy.at("top1").get<double>());
  EXPECT_LE(accuracy.at("correct").get<int>(), 240);
  const auto compared = adze(cat("compare ", demo_model(), " q.onnx --data demo:test --samples 240 --json"));
  ASSERT_EQ(compared.code, 0) << compared.err;
  for (const char* field : {"top1_a", "top1_b", "agreement", "p_value"})
    EXPECT_TRUE(compared.results().contains(field));
  EXPECT_GT(compared.results().at("agreement").get<double>(), 0.9);
  const auto timed = adze("bench q.onnx --time-budget 0.1 --threads 1 --json");
  ASSERT_EQ(timed.code, 0) << timed.err;
  for (const char* field : {"p50_us", "p90_us", "p99_us", "min_us", "runs", "threads", "isa"}) {
    EXPECT_TRUE(timed.results().contains(field)) << field;
  }
}

TEST(Cli, SameCommandGivesTheSameBytesWithAnyThreadCount) {
  const std::string arguments = cat("quantize -f ", demo_model(), " --calibration demo:train --samples 48 ");
  ASSERT_EQ(adze(arguments + "-o one.onnx --threads 1").code, 0);
  ASSERT_EQ(adze(arguments + "-o two.onnx --threads 2").code, 0);
  EXPECT_EQ(system(cat("cmp ", work_folder().string(), "/one.onnx ", work_folder().string(), "/two.onnx").c_str()), 0);
}

TEST(Cli, RecipeRepeatsAQuantizationToTheByte) {
  ASSERT_EQ(
      adze(cat("quantize -f ", demo_model(), " -o q.onnx --calibration demo:train --samples 32 --emit-recipe r.toml"))
          .code,
      0);
  ASSERT_EQ(adze("recipe lint r.toml").code, 0);
  ASSERT_EQ(adze(cat("recipe run -f r.toml ", demo_model(), " -o again.onnx")).code, 0);
  EXPECT_EQ(system(cat("cmp ", work_folder().string(), "/q.onnx ", work_folder().string(), "/again.onnx").c_str()), 0);
}

TEST(Cli, ExistingOutputIsNotOverwrittenWithoutForce) {
  ASSERT_EQ(adze(cat("convert -f ", demo_model(), " copy.onnx")).code, 0);
  const CommandResult again = adze(cat("convert ", demo_model(), " copy.onnx"));
  EXPECT_EQ(again.code, 2);
  EXPECT_NE(again.err.find("-f"), std::string::npos);
}

TEST(Cli, BadInputHasItsExitCodeAndNamesTheFile) {
  const CommandResult missing = adze("inspect nowhere.onnx");
  EXPECT_EQ(missing.code, 3);
  EXPECT_NE(missing.err.find("nowhere.onnx"), std::string::npos);
  EXPECT_EQ(adze(cat("evaluate ", demo_model(), " --data nowhere")).code, 3);
  EXPECT_EQ(adze(cat("convert -f ", demo_model(), " model.xyz")).code, 2);
  EXPECT_EQ(adze(cat("slim -f ", demo_model(), " s.onnx --skip no-such-step")).code, 2);
}

TEST(Cli, JsonGoesAloneToStdout) {
  const CommandResult result = adze(cat("doctor --json"));
  EXPECT_EQ(result.json().at("schema"), "adze.doctor/1");
  EXPECT_TRUE(result.json().at("machine").contains("cpu"));
}

TEST(Cli, AnUnknownInstructionSetIsNamed) {
  const CommandResult result = adze(cat("run ", demo_model()), "ADZE_ISA=avx9");
  EXPECT_EQ(result.code, 2);
  EXPECT_NE(result.err.find("avx2"), std::string::npos) << result.err;
}

TEST(Cli, InterruptEndsWith130AndLeavesNoFile) {
  const auto folder = work_folder();
  const std::string command = cat(
      "cd ", folder.string(), " && rm -rf out && (" ADZE_BINARY_DIR "/adze optimize ", demo_model(),
      " --data demo -o out >/dev/null 2>err.txt & pid=$!; sleep 0.7; kill -INT $pid; wait $pid; echo $? >code.txt)");
  ASSERT_EQ(system(command.c_str()), 0);
  std::ifstream code(folder / "code.txt");
  int value = -1;
  code >> value;
  EXPECT_EQ(value, 130);
  EXPECT_FALSE(std::filesystem::exists(folder / "out" / "model.onnx"));
}

}  // namespace
}  // namespace adze
