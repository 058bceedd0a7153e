#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "adze/base/files.h"
#include "adze/formats/onnx/external.h"
#include "adze/formats/onnx/read.h"
#include "tests/formats/onnx_builder.h"
#include "tests/hostile/hostile.h"

namespace adze {
namespace {

using namespace onnx_builder;
namespace fs = std::filesystem;

using Entries = std::vector<std::pair<std::string, std::string>>;

/// A folder with a model folder in it; a secret outside of that, weights inside.
class OnnxExternal : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / ("adze-external-" + std::to_string(::getpid()));
    fs::remove_all(root_);
    fs::create_directories(root_ / "model" / "inner");
    write_file(root_ / "secret", std::string(24, 's'));
    write_file(root_ / "model" / "w.bin", std::string(64, '\0'));
    write_file(root_ / "model" / "inner" / "w.bin", std::string(24, '\0'));
  }
  void TearDown() override { fs::remove_all(root_); }

  hostile::Outcome load(const Entries& entries, const onnx::ReadOptions& options = {}) {
    GraphParts parts;
    parts.nodes = {node("Relu", {"w"}, {"y"}, {}, "relu")};
    parts.outputs = {value("y")};
    parts.initializers = {external_tensor("w", DType::F32, {2, 3}, entries)};
    const fs::path path = root_ / "model" / "m.onnx";
    write_file(path, model(graph(std::move(parts))));
    return hostile::outcome_of([&] { onnx::read(path, options); });
  }
  void expect_refused(const Entries& entries, const std::string& says) {
    hostile::expect_outcome(load(entries), 3, says, "w");
  }

  fs::path root_;
};

TEST_F(OnnxExternal, ReadsAFileBesideTheModel) {
  EXPECT_EQ(load({{"location", "w.bin"}, {"offset", "40"}, {"length", "24"}}).message, "");
  EXPECT_EQ(load({{"location", "w.bin"}}).message, "");
  EXPECT_EQ(load({{"location", "inner/w.bin"}}).message, "");
  EXPECT_EQ(load({{"location", "./inner/./w.bin"}, {"checksum", "0123"}}).message, "");
}

TEST_F(OnnxExternal, RefusesToLeaveTheFolder) {
  expect_refused({{"location", "../secret"}}, "leaves the model's folder");
  expect_refused({{"location", "inner/../../secret"}}, "leaves the model's folder");
  expect_refused({{"location", (root_ / "secret").string()}}, "absolute");
  expect_refused({{"location", "/etc/passwd"}}, "absolute");
}

TEST_F(OnnxExternal, RefusesSymbolicLinks) {
  fs::create_symlink(root_ / "secret", root_ / "model" / "link");
  fs::create_symlink("w.bin", root_ / "model" / "near");
  fs::create_directory_symlink(root_, root_ / "model" / "up");
  expect_refused({{"location", "link"}}, "symbolic link");
  expect_refused({{"location", "near"}}, "symbolic link");
  expect_refused({{"location", "up/secret"}}, "symbolic link");
}

TEST_F(OnnxExternal, RefusesHardLinks) {
  fs::create_hard_link(root_ / "secret", root_ / "model" / "twin");
  expect_refused({{"location", "twin"}}, "hard links");
}

TEST_F(OnnxExternal, RefusesWhatIsNoFile) {
  ASSERT_EQ(::mkfifo((root_ / "model" / "pipe").c_str(), 0600), 0);
  expect_refused({{"location", "pipe"}}, "regular file");
  expect_refused({{"location", "inner"}}, "folder");
  expect_refused({{"location", "missing.bin"}}, "missing.bin");
  expect_refused({{"location", ""}}, "without a location");
  expect_refused({}, "without a location");
  expect_refused({{"location", std::string("w.bin\0.png", 10)}}, "NUL");
}

TEST_F(OnnxExternal, RefusesRangesOutsideOfTheFile) {
  expect_refused({{"location", "w.bin"}, {"offset", "41"}, {"length", "24"}}, "from byte 41");
  expect_refused({{"location", "w.bin"}, {"offset", "9223372036854775807"}, {"length", "24"}}, "from byte");
  expect_refused({{"location", "w.bin"}, {"offset", "9223372036854775808"}}, "expected a number");
  expect_refused({{"location", "w.bin"}, {"length", "999999999999"}}, "length");
  expect_refused({{"location", "w.bin"}, {"length", "23"}}, "length");
}

TEST_F(OnnxExternal, ReadsNumbersStrictly) {
  for (const char* offset : {"-1", "+1", " 1", "1 ", "0x10", "1e1", "", "4.0", "٣"}) {
    expect_refused({{"location", "w.bin"}, {"offset", offset}}, "expected a number");
  }
}

TEST_F(OnnxExternal, IsRefusedWhereItIsNotAllowed) {
  onnx::ReadOptions options;
  options.allow_external_data = false;
  hostile::expect_outcome(load({{"location", "w.bin"}}, options), 3, "not allowed", "w");
}

TEST_F(OnnxExternal, OpensByComponentWithoutFollowingLinks) {
  fs::create_directory_symlink(root_, root_ / "model" / "up");
  const int folder = ::open((root_ / "model").c_str(), O_RDONLY | O_DIRECTORY);
  ASSERT_GE(folder, 0);
  const int file = onnx::open_beneath_by_component(folder, "inner/w.bin");
  EXPECT_GE(file, 0);
  ::close(file);
  EXPECT_LT(onnx::open_beneath_by_component(folder, "up/secret"), 0);
  EXPECT_LT(onnx::open_beneath_by_component(folder, "w.bin/more"), 0);
  EXPECT_LT(onnx::open_beneath_by_component(folder, "none/w.bin"), 0);
  ::close(folder);
}

}  // namespace
}  // namespace adze
