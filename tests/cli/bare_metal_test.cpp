// The program of examples/bare_metal, built as its script says and run under QEMU.
#include <gtest/gtest.h>

#include <cstdlib>

#include "adze/base/files.h"
#include "adze/base/text.h"
#include "adze/data/synthetic.h"
#include "adze/device/process.h"

namespace adze {
namespace {

constexpr const char* folder = ADZE_SOURCE_DIR "/examples/bare_metal";
constexpr std::int64_t drawn = 11;

TEST(BareMetal, PictureIsOneOfTheDemoTestSet) {
  const std::string file = read_text_file(cat(folder, "/picture.ppm"));
  const Picture picture = draw_synthetic(SyntheticSplit::Test, drawn);
  EXPECT_EQ(file, cat("P6\n32 32\n255\n", std::string(picture.pixels.begin(), picture.pixels.end())));
}

TEST(BareMetal, ClassifiesItsPictureUnderEmulation) {
  if (!device::find_program("arm-none-eabi-gcc") || !device::find_program("qemu-system-arm")) {
    GTEST_SKIP() << "skipped: no arm-none-eabi-gcc or no qemu-system-arm";
  }
  setenv("ADZE", ADZE_BINARY_DIR "/adze", 1);
  const device::TemporaryFolder out;
  const auto ran = device::run_process({cat(folder, "/build"), out.path().string()}, out.path(), {.seconds = 120});
  EXPECT_EQ(ran.exit_code, 0) << ran.output;
  const std::string name = synthetic_class_names()[static_cast<std::size_t>(synthetic_label(drawn))];
  EXPECT_TRUE(ran.output.ends_with(cat("this is: ", name, "\n"))) << ran.output;
  EXPECT_EQ(ran.output.find("warning"), std::string::npos) << ran.output;
}

}  // namespace
}  // namespace adze
