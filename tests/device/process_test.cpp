#include "adze/device/process.h"

#include <gtest/gtest.h>

#include "adze/base/error.h"
#include "adze/base/files.h"
#include "adze/device/elf.h"

namespace adze::device {
namespace {

TEST(Process, passes_arguments_as_they_are) {
  const TemporaryFolder folder;
  const ProcessResult result = run_process({"/bin/echo", "a b", "$(id)", ";", "*"}, folder.path());
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output, "a b $(id) ; *\n");
}

TEST(Process, runs_in_the_folder_and_gives_the_exit_code) {
  const TemporaryFolder folder;
  write_file(folder.path() / "here", std::string_view("x"));
  EXPECT_EQ(run_process({"/bin/ls"}, folder.path()).output, "here\n");
  EXPECT_NE(run_process({"/bin/ls", "nowhere"}, folder.path()).exit_code, 0);
}

TEST(Process, is_killed_at_its_time_limit) {
  const TemporaryFolder folder;
  const ProcessResult result = run_process({"/bin/sleep", "20"}, folder.path(), {.seconds = 0.1});
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.exit_code, 128 + 9);
}

TEST(Process, is_killed_when_it_prints_without_end) {
  const TemporaryFolder folder;
  const auto yes = find_program("yes");
  if (!yes) GTEST_SKIP() << "skipped: no yes";
  const ProcessResult result =
      run_process({yes->string()}, folder.path(), {.seconds = 10, .max_output_bytes = 100'000});
  EXPECT_TRUE(result.output_cut);
  EXPECT_LT(result.output.size(), 200'000u);
}

TEST(Process, that_cannot_start_is_an_error) {
  const TemporaryFolder folder;
  EXPECT_THROW(run_process({"/nowhere/program"}, folder.path()), ModelError);
}

TEST(TemporaryFolder, is_removed_with_its_content) {
  std::filesystem::path path;
  {
    const TemporaryFolder folder;
    path = folder.path();
    write_file(path / "file", std::string_view("x"));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Elf, refuses_what_is_no_elf_file_or_cut_off) {
  const std::string text =
      "\x7F"
      "ELF\1\1 and then nothing of the kind";
  EXPECT_THROW(elf_section_bytes(std::as_bytes(std::span(text))), ModelError);
  const std::string other(100, 'x');
  EXPECT_THROW(elf_section_bytes(std::as_bytes(std::span(other))), ModelError);
}

}  // namespace
}  // namespace adze::device
