// The int8 MLPerf Tiny models as C, compiled for each core and run under QEMU, give the bytes of TFLite-Micro; their
// sizes and counts are plausible.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "adze/base/files.h"
#include "adze/base/text.h"
#include "adze/device/emulate.h"
#include "adze/device/process.h"
#include "adze/formats/tflite/tflite.h"
#include "tests/support/tiny_golden.h"

namespace adze::device {
namespace {

struct Case {
  const char *golden, *model, *core;
};

class Networks : public ::testing::TestWithParam<Case> {};

TEST_P(Networks, give_the_bytes_of_tflite_micro_on_the_emulated_core) {
  const Case& param = GetParam();
  const char* data = std::getenv("ADZE_DATA");
  const char* golden = std::getenv("ADZE_GOLDEN");
  if (data == nullptr || golden == nullptr) GTEST_SKIP() << "skipped: no ADZE_DATA or ADZE_GOLDEN";
  std::ifstream file(cat(golden, "/", param.golden, ".json"));
  emit::EmitOptions options;
  options.golden = test::golden_runs(nlohmann::json::parse(file));
  options.core = param.core;
  options.profile_hooks = true;
  const auto emission = emit::emit_c(tflite::read(cat(data, "/models/", param.model)), options);
  const TemporaryFolder folder;
  EmulationRequest request;
  request.folder = folder.path();
  request.core = param.core;
  for (const auto& emitted : emission.files) {
    write_file(folder.path() / emitted.path, emitted.bytes);
    if (emitted.path.ends_with(".c")) request.sources.push_back(emitted.path);
  }
  const Emulation emulation = emulate(request);
  if (!emulation.available) GTEST_SKIP() << "skipped: " << emulation.why_not;
  EXPECT_EQ(emulation.exit_code, 0) << emulation.output;
  EXPECT_TRUE(emulation.output.starts_with("equal ")) << emulation.output;
  EXPECT_EQ(emulation.layer_instructions.size(), emission.layers.size());
  EXPECT_EQ(emulation.runs, static_cast<int>(options.golden.size()));
  EXPECT_GE(emulation.bss_bytes, emission.arena_bytes);
  EXPECT_LE(emulation.bss_bytes, emission.arena_bytes + 64);
  EXPECT_GE(emulation.text_bytes, emission.weight_bytes);
  EXPECT_GT(emulation.stack_bytes, 0);
}

INSTANTIATE_TEST_SUITE_P(Tiny, Networks,
                         ::testing::Values(Case{"kws", "kws_dscnn_int8.tflite", "cortex-m0"},
                                           Case{"kws", "kws_dscnn_int8.tflite", "cortex-m33"},
                                           Case{"kws", "kws_dscnn_int8.tflite", "cortex-m55"},
                                           Case{"ic", "ic_resnet8_int8.tflite", "cortex-m7"},
                                           Case{"vww", "vww_mobilenetv1_int8.tflite", "cortex-m4"},
                                           Case{"ad", "ad_autoencoder_int8.tflite", "cortex-m3"}));

}  // namespace
}  // namespace adze::device
