#include "adze/base/files.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "adze/base/error.h"

namespace adze {
namespace {

namespace fs = std::filesystem;

/// A folder of its own that goes away with the test.
class Files : public ::testing::Test {
 protected:
  Files() {
    std::string name = (fs::temp_directory_path() / "adze_files_XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~Files() override {
    fs::permissions(folder_, fs::perms::owner_all);
    fs::remove_all(folder_);
  }
  std::size_t num_entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
};

TEST_F(Files, WriteReplacesTheContentWhole) {
  const fs::path path = folder_ / "a.txt";
  write_file(path, "one");
  write_file(path, "two, longer");
  EXPECT_EQ(read_text_file(path), "two, longer");
  EXPECT_EQ(num_entries(), 1u);
}

TEST_F(Files, AnUnfinishedWriterLeavesNothingAndHurtsNothing) {
  const fs::path path = folder_ / "a.txt";
  write_file(path, "old");
  {
    AtomicFileWriter writer(path);
    writer.write(std::string(3 << 20, 'x'));
    EXPECT_EQ(num_entries(), 2u);
    EXPECT_EQ(writer.bytes_written(), 3 << 20);
  }
  EXPECT_EQ(num_entries(), 1u);
  EXPECT_EQ(read_text_file(path), "old");
}

TEST_F(Files, AFailedWriteLeavesNothing) {
  const fs::path path = folder_ / "a.bin";
  struct rlimit old {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  auto* const old_handler = ::signal(SIGXFSZ, SIG_IGN);  // write then fails with EFBIG
  struct rlimit small = old;
  small.rlim_cur = 1 << 20;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  bool failed = false;
  try {
    write_file(path, std::string(4 << 20, 'x'));
  } catch (const ModelError& error) {
    failed = true;
    EXPECT_EQ(error.place().file, path.string());
  }
  ::setrlimit(RLIMIT_FSIZE, &old);
  ::signal(SIGXFSZ, old_handler);
  EXPECT_TRUE(failed);
  EXPECT_EQ(num_entries(), 0u);
}

TEST_F(Files, AFolderThatIsMissingOrClosedIsAnError) {
  EXPECT_THROW(write_file(folder_ / "missing" / "a.txt", "x"), ModelError);
  if (::geteuid() == 0) return;  // root may write everywhere
  fs::permissions(folder_, fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_THROW(write_file(folder_ / "a.txt", "x"), ModelError);
}

TEST_F(Files, ATargetThatIsAFolderIsAnErrorAndLeavesNothing) {
  fs::create_directory(folder_ / "taken");
  EXPECT_THROW(write_file(folder_ / "taken", "x"), ModelError);
  EXPECT_EQ(num_entries(), 1u);
}

TEST_F(Files, MapsWholeFilesAndRefusesTheRest) {
  write_file(folder_ / "a.txt", "hello");
  write_file(folder_ / "empty", "");
  EXPECT_EQ(MappedFile::open(folder_ / "a.txt")->bytes().size(), 5u);
  EXPECT_TRUE(MappedFile::open(folder_ / "empty")->bytes().empty());
  EXPECT_THROW(MappedFile::open(folder_ / "a.txt", 4), LimitError);
  EXPECT_THROW(MappedFile::open(folder_ / "missing"), ModelError);
  EXPECT_THROW(MappedFile::open(folder_), ModelError);
  EXPECT_THROW(MappedFile::open("/dev/null"), ModelError);
  EXPECT_THROW(read_text_file(folder_ / "a.txt", 4), LimitError);
}

TEST(MappedFile, GivesPagesBackWithoutLosingThem) {
  const std::filesystem::path path = std::filesystem::path(testing::TempDir()) / "released";
  std::string content(1 << 20, 'x');
  for (std::size_t i = 0; i < content.size(); i += 100) content[i] = static_cast<char>(i / 100);
  write_file(path, content);
  const auto file = MappedFile::open(path);
  const auto text = [&] {
    return std::string(reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size());
  };
  ASSERT_EQ(text(), content);
  MappedFile::release(file->bytes());
  MappedFile::release(file->bytes().subspan(3, 100'000));
  EXPECT_EQ(text(), content);
}

TEST(MappedFile, LeavesOtherMemoryAlone) {
  const std::vector<std::byte> memory(1 << 20, std::byte{7});
  MappedFile::release(memory);
  EXPECT_EQ(std::count(memory.begin(), memory.end(), std::byte{7}), 1 << 20);
}

}  // namespace
}  // namespace adze
