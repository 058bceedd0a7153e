#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "adze/base/files.h"
#include "adze/base/text.h"

namespace adze {
namespace {

int run(const std::string& command) {
  return std::system((command + " >>" ADZE_BINARY_DIR "/install-test.log 2>&1").c_str());
}

/// The install prefix is moved after installing: nothing in the package may know the place it was installed to.
class FindPackage : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::filesystem::remove_all(root());
    std::filesystem::remove(ADZE_BINARY_DIR "/install-test.log");
    ASSERT_EQ(run(cat("cmake --install " ADZE_BINARY_DIR " --prefix ", root(), "/first")), 0);
    std::filesystem::rename(root() + "/first", root() + "/moved");
  }
  static std::string root() { return ADZE_BINARY_DIR "/install-test"; }
  static std::string demo() { return ADZE_SOURCE_DIR "/examples/demo/demo.onnx"; }
};

TEST_F(FindPackage, BuildsAndRunsAProgramFromTheInstalledTree) {
  const std::string build = root() + "/consumer";
  ASSERT_EQ(run(cat("cmake -G Ninja -S " ADZE_SOURCE_DIR "/examples/find_package -B ", build,
                    " -DCMAKE_PREFIX_PATH=", root(), "/moved -DCMAKE_CXX_STANDARD=20")),
            0);
  ASSERT_EQ(run(cat("cmake --build ", build)), 0);
  ASSERT_EQ(std::system(cat(build, "/consumer ", demo(), " > ", root(), "/out.txt").c_str()), 0);
  EXPECT_TRUE(read_text_file(root() + "/out.txt").starts_with("f32[1, 12]"));
}

TEST_F(FindPackage, BuildsAndRunsAProgramInC) {
  const std::string build = root() + "/hello";
  ASSERT_EQ(run(cat("cmake -G Ninja -S " ADZE_SOURCE_DIR "/examples/hello_inference -B ", build,
                    " -DCMAKE_PREFIX_PATH=", root(), "/moved '-DCMAKE_C_FLAGS=-Wall -Wextra -Werror -pedantic'")),
            0);
  ASSERT_EQ(run(cat("cmake --build ", build)), 0);
  ASSERT_EQ(std::system(cat(build, "/hello_inference ", demo(), " > ", root(), "/hello.txt").c_str()), 0);
  EXPECT_EQ(split(trim(read_text_file(root() + "/hello.txt")), '\n').size(), 12U);
  EXPECT_NE(run(cat(build, "/hello_inference ", root(), "/no-such-model.onnx")), 0);
}

TEST_F(FindPackage, PkgConfigKnowsTheLibrary) {
  if (std::system("command -v pkg-config >/dev/null") != 0) GTEST_SKIP() << "skipped: no pkg-config";
  EXPECT_EQ(run(cat("PKG_CONFIG_PATH=$(dirname $(find ", root(),
                    "/moved -name adze.pc)) pkg-config --exists --print-errors adze")),
            0);
}

TEST_F(FindPackage, TheInstalledCommandRuns) {
  EXPECT_EQ(run(cat(root(), "/moved/bin/adze inspect ", demo())), 0);
}

}  // namespace
}  // namespace adze
