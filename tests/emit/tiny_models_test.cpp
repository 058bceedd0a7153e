// The int8 MLPerf Tiny models as C give the bytes of TFLite-Micro and CMSIS-NN.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "adze/base/text.h"
#include "adze/formats/tflite/tflite.h"
#include "tests/emit/compile.h"

namespace adze {
namespace {

Tensor pattern(int number, const Shape& nhwc) {
  const bool picture = nhwc.size() == 4;
  const Shape shape = picture ? Shape{nhwc[0], nhwc[3], nhwc[1], nhwc[2]} : nhwc;
  Tensor tensor(DType::S8, shape);
  const auto data = tensor.mutable_data<std::int8_t>();
  std::uint32_t state = 1;
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    state = state * 1664525u + 1013904223u;
    std::int64_t value = 0;
    if (number == 0) value = i * 37 % 256 - 128;
    if (number == 1) value = i * 37 % 64 - 96;
    if (number == 2) value = static_cast<std::int8_t>(state >> 24);
    if (number == 3) value = i / 16 % 256 - 128;
    std::int64_t at = i;
    if (picture) at = i % nhwc[3] * (nhwc[1] * nhwc[2]) + i / nhwc[3];
    data[static_cast<std::size_t>(at)] = static_cast<std::int8_t>(value);
  }
  return tensor;
}

emit::EmitOptions golden_options(const nlohmann::json& expected) {
  emit::EmitOptions options;
  for (const auto& run : expected["runs"]) {
    const auto text = run["outputs_hex"][0].get<std::string>();
    std::vector<std::int8_t> bytes;
    for (std::size_t i = 0; i < text.size(); i += 2) {
      bytes.push_back(static_cast<std::int8_t>(std::stoi(text.substr(i, 2), nullptr, 16)));
    }
    const auto size = std::ssize(bytes);
    options.golden.push_back({{pattern(run["pattern"], expected["input_shape"].get<Shape>())},
                              {Tensor::from<std::int8_t>({1, size}, bytes)}});
  }
  return options;
}

class TinyModels : public ::testing::TestWithParam<std::tuple<const char*, const char*, const char*>> {};

TEST_P(TinyModels, GiveTheBytesOfTfliteMicroAsC) {
  const auto [golden_name, model_name, core] = GetParam();
  const char* data = std::getenv("ADZE_DATA");
  const char* golden = std::getenv("ADZE_GOLDEN");
  if (data == nullptr || golden == nullptr) GTEST_SKIP() << "skipped: no ADZE_DATA or ADZE_GOLDEN";
  std::ifstream file(cat(golden, "/", golden_name, ".json"));
  emit::EmitOptions options = golden_options(nlohmann::json::parse(file));
  options.core = core;
  const auto emission = emit::emit_c(tflite::read(cat(data, "/models/", model_name)), options);
  const auto ran = testing::compile_and_run(emission, "net");
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_TRUE(ran.output.starts_with("equal ")) << ran.output;
}

INSTANTIATE_TEST_SUITE_P(OnTheHost, TinyModels,
                         ::testing::Combine(::testing::Values("kws"), ::testing::Values("kws_dscnn_int8.tflite"),
                                            ::testing::Values("generic", "cortex-m4", "cortex-m55")));
INSTANTIATE_TEST_SUITE_P(Pictures, TinyModels,
                         ::testing::Values(std::make_tuple("ic", "ic_resnet8_int8.tflite", "generic"),
                                           std::make_tuple("ic", "ic_resnet8_int8.tflite", "cortex-m4"),
                                           std::make_tuple("vww", "vww_mobilenetv1_int8.tflite", "generic"),
                                           std::make_tuple("vww", "vww_mobilenetv1_int8.tflite", "cortex-m4"),
                                           std::make_tuple("ad", "ad_autoencoder_int8.tflite", "generic"),
                                           std::make_tuple("ad", "ad_autoencoder_int8.tflite", "cortex-m4")));

}  // namespace
}  // namespace adze
