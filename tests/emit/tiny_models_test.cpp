// The int8 MLPerf Tiny models written for cores with special instructions give the bytes of TFLite-Micro on this
// computer too. (operator_outputs_test runs them where they belong.)
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "adze/base/text.h"
#include "adze/formats/tflite/tflite.h"
#include "tests/emit/compile.h"
#include "tests/support/tiny_golden.h"

namespace adze {
namespace {

class TinyModels : public ::testing::TestWithParam<std::tuple<const char*, const char*, const char*>> {};

TEST_P(TinyModels, GiveTheBytesOfTfliteMicroAsC) {
  const auto [golden_name, model_name, core] = GetParam();
  const char* data = std::getenv("ADZE_DATA");
  const char* golden = std::getenv("ADZE_GOLDEN");
  if (data == nullptr || golden == nullptr) GTEST_SKIP() << "skipped: no ADZE_DATA or ADZE_GOLDEN";
  std::ifstream file(cat(golden, "/", golden_name, ".json"));
  emit::EmitOptions options;
  options.golden = test::golden_runs(nlohmann::json::parse(file));
  options.core = core;
  const auto emission = emit::emit_c(tflite::read(cat(data, "/models/", model_name)), options);
  const auto ran = testing::compile_and_run(emission, "net");
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_TRUE(ran.output.starts_with("equal ")) << ran.output;
}

TEST(StoredWeights, GiveTheSameBytesFromAFile) {
  const char* data = std::getenv("ADZE_DATA");
  const char* golden = std::getenv("ADZE_GOLDEN");
  if (data == nullptr || golden == nullptr) GTEST_SKIP() << "skipped: no ADZE_DATA or ADZE_GOLDEN";
  std::ifstream file(cat(golden, "/kws.json"));
  emit::EmitOptions options;
  options.golden = test::golden_runs(nlohmann::json::parse(file));
  options.weights_object = true;
  const auto emission = emit::emit_c(tflite::read(cat(data, "/models/kws_dscnn_int8.tflite")), options);
  const auto ran = testing::compile_and_run(emission, "net");
  EXPECT_TRUE(ran.exit_code == 0 && ran.output.starts_with("equal ")) << ran.output;
}

TEST(SmallTinyModels, GiveTheSameBytesWithSmallTables) {
  const char* data = std::getenv("ADZE_DATA");
  const char* golden = std::getenv("ADZE_GOLDEN");
  if (data == nullptr || golden == nullptr) GTEST_SKIP() << "skipped: no ADZE_DATA or ADZE_GOLDEN";
  for (const auto& [golden_name, model_name] :
       {std::pair("kws", "kws_dscnn_int8.tflite"), {"vww", "vww_mobilenetv1_int8.tflite"}}) {
    std::ifstream file(cat(golden, "/", golden_name, ".json"));
    emit::EmitOptions options;
    options.golden = test::golden_runs(nlohmann::json::parse(file));
    options.optimize = emit::Optimize::Size;
    const Graph graph = tflite::read(cat(data, "/models/", model_name));
    const auto small = emit::emit_c(graph, options);
    const auto ran = testing::compile_and_run(small, "net");
    EXPECT_TRUE(ran.exit_code == 0 && ran.output.starts_with("equal ")) << golden_name << " " << ran.output;
    options.optimize = emit::Optimize::Speed;
    EXPECT_LT(small.weight_bytes, emit::emit_c(graph, options).weight_bytes) << golden_name;
  }
}

INSTANTIATE_TEST_SUITE_P(OnTheHost, TinyModels,
                         ::testing::Values(std::make_tuple("kws", "kws_dscnn_int8.tflite", "cortex-m4"),
                                           std::make_tuple("kws", "kws_dscnn_int8.tflite", "cortex-m55"),
                                           std::make_tuple("ic", "ic_resnet8_int8.tflite", "cortex-m4")));

}  // namespace
}  // namespace adze
