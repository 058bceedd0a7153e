#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace adze {

/// A whole file mapped read-only. Pages are loaded when touched; the mapping lives as long as the object.
class MappedFile {
 public:
  /// Throws ModelError when path is missing, unreadable, not a regular file, or larger than max_bytes.
  static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path,
                                                std::int64_t max_bytes = std::int64_t{1} << 40);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::filesystem::path& path() const { return path_; }

  /// Lets the system take back the memory of whole pages within these bytes, when they belong to a mapped file: they
  /// are read again when touched. Does nothing for other memory.
  static void release(std::span<const std::byte> bytes);
  /// The same for the whole file that these bytes are part of.
  static void release_file(std::span<const std::byte> bytes);

  /// Where bytes come from, when they are part of a mapped file.
  struct Place {
    std::filesystem::path path;  ///< as it was opened
    std::int64_t offset = 0;
  };
  static std::optional<Place> locate(std::span<const std::byte> bytes);

 private:
  friend std::shared_ptr<const MappedFile> map_descriptor(int, const std::filesystem::path&, std::int64_t);
  MappedFile() = default;

  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::filesystem::path path_;
};

/// Maps the open descriptor (which it closes) under the given name for messages; same errors as MappedFile::open.
std::shared_ptr<const MappedFile> map_descriptor(int descriptor, const std::filesystem::path& path,
                                                 std::int64_t max_bytes);

/// Writes a file whole or not at all: a temporary beside the target, fsync, rename, fsync of the folder.
/// An unfinished writer removes its temporary. Throws ModelError naming the target and the system's reason;
/// LimitError when the disk is full.
class AtomicFileWriter {
 public:
  explicit AtomicFileWriter(std::filesystem::path target);
  ~AtomicFileWriter();
  AtomicFileWriter(const AtomicFileWriter&) = delete;
  AtomicFileWriter& operator=(const AtomicFileWriter&) = delete;

  void write(std::span<const std::byte> data);
  void write(std::string_view text);
  std::int64_t bytes_written() const { return bytes_written_; }
  /// Publishes the file under its target name.
  void commit();

 private:
  [[noreturn]] void fail(const char* action) const;
  void flush();

  std::filesystem::path target_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
  std::int64_t bytes_written_ = 0;
  std::string buffer_;
};

/// Replaces the file's content in one step.
void write_file(const std::filesystem::path& path, std::string_view text);
void write_file(const std::filesystem::path& path, std::span<const std::byte> data);

/// The content of a text file of at most max_bytes.
std::string read_text_file(const std::filesystem::path& path, std::int64_t max_bytes = std::int64_t{64} << 20);

}  // namespace adze
