// Every operator of the int8 MLPerf Tiny models as C, on this computer and on emulated cores, gives the bytes of
// TFLite-Micro: CRC-32 of each output, for all input patterns. (tests/device compares the last outputs by themselves.)
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "adze/base/files.h"
#include "adze/base/text.h"
#include "adze/device/emulate.h"
#include "adze/device/process.h"
#include "adze/formats/tflite/tflite.h"
#include "tests/emit/compile.h"
#include "tests/support/tiny_golden.h"

namespace adze {
namespace {

using nlohmann::json;

constexpr const char* program = R"(
static uint32_t crc_of(const void *from, int32_t bytes) {
  const uint8_t *at = (const uint8_t *)from;
  uint32_t crc = 0xffffffffu;
  for (; bytes > 0; --bytes) {
    crc ^= *at++;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1u)));
  }
  return ~crc;
}

static int at_run, equal;

void net_profile(int layer) {
  if (layer == 0) return;
  const int32_t *place = places[layer - 1];
  const uint32_t crc = crc_of(AT(place[0]), place[1]), expected = crcs[at_run][layer - 1];
  if (crc == expected) {
    ++equal;
  } else {
    printf("run %d layer %d\n", at_run, layer - 1);
  }
}

int main(void) {
  static int8_t out[OUTPUTS];
  for (at_run = 0; at_run < RUNS; ++at_run) {
    uint32_t state = 1;
    for (int i = 0; i < INPUTS; ++i) {
      state = state * 1664525u + 1013904223u;
      const int values[5] = {i * 37 % 256 - 128, i * 37 % 64 - 96, (int8_t)(uint8_t)(state >> 24), i / 16 % 256 - 128, 0};
      net_input()[i] = (int8_t)values[patterns[at_run]];
    }
    if (net_run(net_input(), out) != 0) return 2;
  }
  printf("equal %d of %d\n", equal, RUNS * NET_LAYERS);
  return equal == RUNS * NET_LAYERS ? 0 : 1;
}
)";

/// The layers' places and what TFLite-Micro computes, in front of the program. Views are no layers.
std::string test_program(const emit::Emission& emission, const json& expected) {
  std::string places, crcs, patterns;
  for (const auto& layer : emission.layers) places += cat("{", layer.output_offset, ", ", layer.output_bytes, "},");
  for (const auto& run : expected["runs"]) {
    std::size_t count = 0;
    crcs += "{";
    for (const auto& op : run["ops"]) {
      if (op[1] == "RESHAPE") continue;
      crcs += op[3].get<std::string>() + "u,";
      ++count;
    }
    crcs += "},";
    patterns += cat(run["pattern"].get<int>(), ",");
    EXPECT_EQ(count, emission.layers.size());
  }
  std::int64_t inputs = 1;
  for (const auto& size : expected["input_shape"]) inputs *= size.get<std::int64_t>();
  return cat("#include <stdio.h>\n#include \"net.c\"\n#define RUNS ", expected["runs"].size(), "\n#define INPUTS ",
             inputs, "\n#define OUTPUTS ", expected["runs"][0]["outputs_hex"][0].get<std::string>().size() / 2,
             "\nstatic const int32_t places[][2] = {", places, "};\nstatic const uint32_t crcs[][NET_LAYERS] = {", crcs,
             "};\nstatic const int patterns[] = {", patterns, "};\n", program);
}

struct Case {
  const char *golden, *model, *core;
  emit::Optimize optimize;
};

class OperatorOutputs : public ::testing::TestWithParam<Case> {};

TEST_P(OperatorOutputs, AreThoseOfTfliteMicro) {
  const Case& param = GetParam();
  const char* data = std::getenv("ADZE_DATA");
  const char* golden = std::getenv("ADZE_GOLDEN");
  if (data == nullptr || golden == nullptr) GTEST_SKIP() << "skipped: no ADZE_DATA or ADZE_GOLDEN";
  std::ifstream file(cat(golden, "/", param.golden, ".json"));
  emit::EmitOptions options;
  options.core = param.core;
  options.optimize = param.optimize;
  options.profile_hooks = true;
  emit::Emission emission = emit::emit_c(tflite::read(cat(data, "/models/", param.model)), options);
  const std::string test = test_program(emission, json::parse(file));
  if (options.core == "generic") {
    for (auto& emitted : emission.files) {
      if (emitted.path == "net.c") emitted.path = "net.c.h";
    }
    std::string text = test;
    text.replace(text.find("net.c\""), 6, "net.c.h\"");
    emission.files.push_back({"net_test.c", text});
    const auto ran = testing::compile_and_run(emission, "net");
    EXPECT_EQ(ran.exit_code, 0) << ran.output;
    return;
  }
  const device::TemporaryFolder folder;
  device::EmulationRequest request;
  request.folder = folder.path();
  request.core = param.core;
  request.profile = false;
  request.optimize_flag = "-O1";
  request.sources = {"net_test.c"};
  write_file(folder.path() / "net_test.c", test);
  for (const auto& emitted : emission.files) {
    write_file(folder.path() / emitted.path, emitted.bytes);
    if (emitted.path.ends_with(".c") && emitted.path != "net.c") request.sources.push_back(emitted.path);
  }
  const device::Emulation emulation = device::emulate(request);
  if (!emulation.available) GTEST_SKIP() << "skipped: " << emulation.why_not;
  EXPECT_EQ(emulation.exit_code, 0) << emulation.output;
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const char* core : {"generic", "cortex-m4", "cortex-m7", "cortex-m55"}) {
    all.push_back({"kws", "kws_dscnn_int8.tflite", core, emit::Optimize::Speed});
    all.push_back({"ic", "ic_resnet8_int8.tflite", core, emit::Optimize::Speed});
    all.push_back({"vww", "vww_mobilenetv1_int8.tflite", core, emit::Optimize::Speed});
    all.push_back({"ad", "ad_autoencoder_int8.tflite", core, emit::Optimize::Speed});
  }
  all.push_back({"kws", "kws_dscnn_int8.tflite", "cortex-m4", emit::Optimize::Size});
  all.push_back({"ic", "ic_resnet8_int8.tflite", "generic", emit::Optimize::Size});
  all.push_back({"vww", "vww_mobilenetv1_int8.tflite", "cortex-m55", emit::Optimize::Size});
  all.push_back({"ad", "ad_autoencoder_int8.tflite", "cortex-m7", emit::Optimize::Size});
  return all;
}

INSTANTIATE_TEST_SUITE_P(Tiny, OperatorOutputs, ::testing::ValuesIn(cases()), [](const auto& given) {
  std::string name =
      cat(given.param.golden, "_", given.param.core, given.param.optimize == emit::Optimize::Size ? "_small" : "");
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace adze
