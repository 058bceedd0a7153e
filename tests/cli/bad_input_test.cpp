#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "adze/base/text.h"
#include "adze/data/npy.h"
#include "tests/cli/command.h"

namespace adze {
namespace {

std::size_t files_in_work_folder() {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(work_folder())) count += entry.is_regular_file() ? 1 : 0;
  return count;
}

TEST(CliBadInput, AFolderThatCannotBeWrittenToIsNamed) {
  const CommandResult result = adze(cat("convert ", demo_model(), " /proc/model.onnx"));
  EXPECT_EQ(result.code, 3);
  EXPECT_NE(result.err.find("/proc/model.onnx"), std::string::npos) << result.err;
}

TEST(CliBadInput, AFullDiskLeavesNoFileBehind) {
  // A limit on the size of files stands in for a full disk: write() fails in the middle of the model.
  const CommandResult result = adze(cat("convert ", demo_model(), " full.onnx"), "ulimit -f 8;");
  EXPECT_EQ(result.code, 6) << result.err;
  EXPECT_NE(result.err.find("full.onnx"), std::string::npos) << result.err;
  EXPECT_EQ(files_in_work_folder(), 2u) << "only stdout.txt and stderr.txt may be there";
}

TEST(CliBadInput, AFullStdoutIsAnError) {
  const CommandResult result = adze(cat("inspect ", demo_model(), " --json >/dev/full 2>err.txt; echo code $?; true"));
  std::ifstream err(work_folder() / "err.txt");
  const std::string text((std::istreambuf_iterator<char>(err)), {});
  EXPECT_NE(text.find("stdout"), std::string::npos) << text;
}

TEST(CliBadInput, AnEmptyDataFolderSaysWhatWasLookedFor) {
  std::filesystem::create_directories(work_folder() / "empty");
  const CommandResult result = adze(cat("evaluate ", demo_model(), " --data empty"));
  EXPECT_EQ(result.code, 3);
  EXPECT_NE(result.err.find("empty"), std::string::npos);
  EXPECT_NE(result.err.find("JPEG"), std::string::npos) << result.err;
}

TEST(CliBadInput, AClassCountThatDoesNotMatchNamesBothNumbers) {
  write_npy(work_folder() / "x.npy", Tensor(DType::F32, {3, 3, 32, 32}));
  write_npy(work_folder() / "labels.npy", Tensor::ints({0, 1, 40}));
  write_npz(work_folder() / "data.npz", {{"x", Tensor(DType::F32, {3, 3, 32, 32})}, {"y", Tensor::ints({0, 1, 40})}});
  const CommandResult result = adze(cat("evaluate ", demo_model(), " --data data.npz"));
  EXPECT_EQ(result.code, 3) << result.out;
  EXPECT_NE(result.err.find("12"), std::string::npos) << result.err;
}

TEST(CliBadInput, ABrokenPictureIsCountedAndNamedAndFatalWithStrict) {
  for (const char* name : {"arch", "arrow"}) std::filesystem::create_directories(work_folder() / "pictures" / name);
  std::ofstream(work_folder() / "pictures/arch/bad.png") << "no picture";
  const CommandResult result = adze(cat("evaluate ", demo_model(), " --data pictures --strict"));
  EXPECT_EQ(result.code, 3);
  EXPECT_NE(result.err.find("bad.png"), std::string::npos) << result.err;
}

TEST(CliBadInput, AFractionThatIsNoneIsAUsageError) {
  EXPECT_EQ(adze(cat("optimize ", demo_model(), " --data demo -o out --max-drop 3x")).code, 2);
  EXPECT_EQ(adze(cat("run ", demo_model(), " --shapes input=1x3")).code, 2);
}

}  // namespace
}  // namespace adze
