// Training as a user does it: killed at random moments, in several processes, under quantization.
#include <gtest/gtest.h>

#include <filesystem>

#include "adze/base/files.h"
#include "adze/base/hash.h"
#include "adze/base/random.h"
#include "adze/base/text.h"
#include "adze/recipe/model_files.h"
#include "tests/cli/command.h"

namespace adze {
namespace {

constexpr const char* settings =
    " --data demo --samples 300 --epochs 3 --batch 32 --threads 1 --seed 4 --augment crop=2 --force";

bool can_train() {
#ifdef ADZE_HAS_TORCH
  return true;
#else
  return false;
#endif
}

std::string file_hash(const std::string& name) {
  return identify_file(work_folder() / name).sha256;
}

TEST(TrainCommand, KilledAtRandomMomentsAndResumedItWritesTheSameBytes) {
  if (!can_train()) GTEST_SKIP() << "skipped: built without libtorch";
  std::filesystem::remove_all(work_folder());
  const std::string command = cat("train ", demo_model(), settings);
  ASSERT_EQ(adze(cat(command, " -o whole.onnx")).code, 0);
  Random random(11);
  int killed = 0;
  const std::string resumed = cat(command, " -o killed.onnx --checkpoint-minutes 0.0005 --resume");
  for (int i = 0; i < 6; ++i) {
    if (adze(resumed, cat("timeout --signal=KILL ", random.uniform(0.5, 1.5))).code == 0) break;
    ++killed;
  }
  ASSERT_EQ(adze(resumed).code, 0);
  EXPECT_GT(killed, 0);
  EXPECT_EQ(file_hash("whole.onnx"), file_hash("killed.onnx"));
}

TEST(TrainCommand, TwoProcessesLearnAsOneDoes) {
  if (!can_train()) GTEST_SKIP() << "skipped: built without libtorch";
  std::filesystem::remove_all(work_folder());
  const std::string command = cat("train ", demo_model(), settings);
  ASSERT_EQ(adze(cat(command, " -o one.onnx --json")).code, 0);
  const auto one = nlohmann::json::parse(read_text_file(work_folder() / "stdout.txt")).at("results").at("epochs");
  const int port = 20000 + static_cast<int>(Random(static_cast<std::uint64_t>(::getpid())).below(20000));
  const std::string where = cat("WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=", port);
  const std::string other =
      cat("(RANK=1 ", where, " " ADZE_BINARY_DIR "/adze ", command, " -o other.onnx >other.txt 2>&1 &) && ");
  const CommandResult two = adze(cat(command, " -o two.onnx --json"), cat(other, "RANK=0 ", where));
  ASSERT_EQ(two.code, 0) << two.err;
  const auto shared = two.results().at("epochs");
  ASSERT_EQ(shared.size(), one.size());
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_NEAR(shared[i].at("loss").get<double>(), one[i].at("loss").get<double>(), 2e-3) << "epoch " << i + 1;
  }
  EXPECT_FALSE(std::filesystem::exists(work_folder() / "other.onnx"));
}

TEST(TrainCommand, WritesARecipeThatTrainsTheSameBytesAgain) {
  if (!can_train()) GTEST_SKIP() << "skipped: built without libtorch";
  std::filesystem::remove_all(work_folder());
  const CommandResult first = adze(cat("train ", demo_model(), settings, " -o first.onnx --emit-recipe r.toml"));
  ASSERT_EQ(first.code, 0) << first.err;
  const CommandResult again =
      adze(cat("recipe run r.toml ", demo_model(), " -o again.onnx --threads 1 --seed 4 --force --json"));
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_FALSE(std::filesystem::exists(work_folder() / "again.onnx.checkpoint.step1"))
      << "only unfinished runs keep it";
  const CommandResult same = adze("compare first.onnx again.onnx --data demo:test --samples 50 --json");
  ASSERT_EQ(same.code, 0) << same.err;
  EXPECT_EQ(same.results().at("output_max_abs_error").get<double>(), 0.0) << same.out;
}

TEST(TrainCommand, RefusesATeacherThatReadsItsInputsOtherwise) {
  if (!can_train()) GTEST_SKIP() << "skipped: built without libtorch";
  const CommandResult refused = adze(cat("train ", demo_model(), settings, " --teacher zoo:resnet8 -o x.onnx"));
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("prepared otherwise"), std::string::npos) << refused.err;
}

TEST(TrainCommand, GoesOnFromAQuantizedNetwork) {
  if (!can_train()) GTEST_SKIP() << "skipped: built without libtorch";
  std::filesystem::remove_all(work_folder());
  ASSERT_EQ(adze(cat("quantize ", demo_model(), " -o q.onnx --calibration demo:train --samples 64 --bits w4a4")).code,
            0);
  const CommandResult trained = adze(cat("train q.onnx", settings, " -o t.onnx --json"));
  ASSERT_EQ(trained.code, 0) << trained.err;
  const double simulated = trained.results().at("epochs").back().at("validation_accuracy");
  EXPECT_NEAR(trained.results().at("integer_accuracy").get<double>(), simulated, 0.04);  // one sample of 30
  EXPECT_GE(trained.results().at("layers").size(), 3u);
  const CommandResult twice = adze(cat("train q.onnx --quantize w4a4", settings, " -o u.onnx"));
  EXPECT_EQ(twice.code, 2);
  EXPECT_NE(twice.err.find("quantized already"), std::string::npos) << twice.err;
}

TEST(TrainCommand, KeepsThePrunedZerosInFloatAndUnderQuantization) {
  if (!can_train()) GTEST_SKIP() << "skipped: built without libtorch";
  std::filesystem::remove_all(work_folder());
  ASSERT_EQ(adze(cat("prune ", demo_model(), " -o p.onnx --unit weights --ratio 0.6")).code, 0);
  ASSERT_EQ(adze(cat("train p.onnx", settings, " -o t.onnx")).code, 0);
  ASSERT_EQ(adze(cat("train t.onnx --quantize w8a8", settings, " -o q.onnx")).code, 0);
  const auto zeros = [](const std::string& name) {
    const Graph graph = load_model(work_folder() / name);
    std::int64_t count = 0;
    for (std::int32_t i = 0; i < graph.num_values(); ++i) {
      const Tensor* weights = graph.constant(static_cast<ValueId>(i));
      if (weights == nullptr || weights->rank() != 4) continue;
      for (std::int64_t k = 0; k < weights->size(); ++k) count += weights->get_double(k) == 0;
    }
    return count;
  };
  EXPECT_GT(zeros("p.onnx"), 10000);
  EXPECT_GE(zeros("t.onnx"), zeros("p.onnx"));
  EXPECT_GE(zeros("q.onnx"), zeros("p.onnx"));
}

TEST(TrainCommand, TrainsUnderQuantizationAndFromATeacher) {
  if (!can_train()) GTEST_SKIP() << "skipped: built without libtorch";
  const CommandResult quantized = adze(cat("train ", demo_model(), settings, " --quantize w4a4 -o q.onnx --json"));
  ASSERT_EQ(quantized.code, 0) << quantized.err;
  const double simulated = quantized.results().at("simulated_accuracy");
  EXPECT_GT(simulated, 0.5);
  EXPECT_NEAR(quantized.results().at("integer_accuracy").get<double>(), simulated, 0.04);  // one sample of 30
  EXPECT_GE(quantized.results().at("layers").size(), 3u);
  const CommandResult judged = adze("evaluate q.onnx --data demo:test --samples 300 --json");
  ASSERT_EQ(judged.code, 0) << judged.err;
  EXPECT_NEAR(judged.results().at("top1").get<double>(), simulated, 0.15);
  const CommandResult taught =
      adze(cat("distill ", demo_model(), " --teacher ", demo_model(), settings, " -o s.onnx --json"));
  ASSERT_EQ(taught.code, 0) << taught.err;
  EXPECT_GT(taught.results().at("fidelity").at(0).at("agreement").get<double>(), 0.8);
}

TEST(TrainCommand, BadOptionsAreNamed) {
  if (!can_train()) GTEST_SKIP() << "skipped: built without libtorch";
  const auto code = [&](const std::string& more) {
    return adze(cat("train ", demo_model(), " --data demo --samples 64 --epochs 1 -o x.onnx --force ", more)).code;
  };
  EXPECT_EQ(code("--lr -1"), 2);
  EXPECT_EQ(code("--momentum 1"), 2);
  EXPECT_EQ(code("--augment crp=2"), 2);
  EXPECT_EQ(code("--quantize w9a1"), 2);
  EXPECT_EQ(code("--freeze nothing"), 2);
  EXPECT_EQ(code("--teacher absent.onnx"), 3);
  EXPECT_EQ(adze("train --data demo -o x.onnx").code, 2);
}

}  // namespace
}  // namespace adze
