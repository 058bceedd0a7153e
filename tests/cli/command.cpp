#include "tests/cli/command.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>

#include "adze/base/files.h"
#include "adze/base/text.h"

namespace adze {

std::filesystem::path work_folder() {
  const auto* info = testing::UnitTest::GetInstance()->current_test_info();
  const std::filesystem::path folder =
      std::filesystem::path(ADZE_BINARY_DIR) / "cli-tests" / cat(info->test_suite_name(), ".", info->name());
  std::filesystem::create_directories(folder);
  return folder;
}

std::string demo_model() {
  return ADZE_SOURCE_DIR "/examples/demo/demo.onnx";
}

CommandResult adze(const std::string& arguments, const std::string& environment) {
  const auto folder = work_folder();
  const std::string command = cat("cd ", folder.string(), " && ", environment, " " ADZE_BINARY_DIR "/adze ", arguments,
                                  " >stdout.txt 2>stderr.txt");
  const int status = std::system(command.c_str());
  CommandResult result;
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  result.out = read_text_file(folder / "stdout.txt");
  result.err = read_text_file(folder / "stderr.txt");
  return result;
}

}  // namespace adze
