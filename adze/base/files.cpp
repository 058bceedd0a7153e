#include "adze/base/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>

#include "adze/base/error.h"
#include "adze/base/text.h"

namespace adze {

namespace {

constexpr std::size_t write_buffer_bytes = 1 << 20;

/// Removes temporaries that were never published; the process id and a counter keep names apart.
std::filesystem::path temporary_name(const std::filesystem::path& target) {
  static std::atomic<int> counter{0};
  std::filesystem::path name = target;
  name += cat(".tmp-", ::getpid(), "-", counter++);
  return name;
}

/// Where files are mapped now: nothing else may be given back, as its content would be lost.
class LiveMappings {
 public:
  void add(std::span<const std::byte> bytes, const std::filesystem::path& path) {
    const std::lock_guard lock(mutex_);
    mappings_[bytes.data()] = {bytes.size(), path};
  }
  void remove(const std::byte* data) {
    const std::lock_guard lock(mutex_);
    mappings_.erase(data);
  }
  /// Of the bytes, or of all the file that they are part of.
  void release(std::span<const std::byte> bytes, bool whole_file) {
    const std::lock_guard lock(mutex_);
    const auto found = containing(bytes);
    if (found == mappings_.end()) return;
    if (whole_file) bytes = {found->first, found->second.size};
    static const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const auto begin = (reinterpret_cast<std::uintptr_t>(bytes.data()) + page - 1) / page * page;
    const auto end = reinterpret_cast<std::uintptr_t>(bytes.data() + bytes.size()) / page * page;
    if (begin >= end) return;
    auto* whole_pages = const_cast<std::byte*>(bytes.data()) + (begin - reinterpret_cast<std::uintptr_t>(bytes.data()));
    ::madvise(whole_pages, end - begin, MADV_DONTNEED);
  }
  std::optional<MappedFile::Place> locate(std::span<const std::byte> bytes) {
    const std::lock_guard lock(mutex_);
    const auto found = containing(bytes);
    if (found == mappings_.end()) return std::nullopt;
    return MappedFile::Place{found->second.path, bytes.data() - found->first};
  }

 private:
  struct Mapping {
    std::size_t size;
    std::filesystem::path path;
  };
  using Mappings = std::map<const std::byte*, Mapping>;

  Mappings::iterator containing(std::span<const std::byte> bytes) {
    const auto after = mappings_.upper_bound(bytes.data());
    if (after == mappings_.begin()) return mappings_.end();
    const auto found = std::prev(after);
    return bytes.data() + bytes.size() <= found->first + found->second.size ? found : mappings_.end();
  }

  std::mutex mutex_;
  Mappings mappings_;
};

LiveMappings& live_mappings() {
  static LiveMappings& mappings = *new LiveMappings;  // files may be closed while the program ends
  return mappings;
}

std::string reason(int error) {
  return std::strerror(error);
}

}  // namespace

std::shared_ptr<const MappedFile> map_descriptor(int descriptor, const std::filesystem::path& path,
                                                 std::int64_t max_bytes) {
  struct Closer {
    int descriptor;
    ~Closer() { ::close(descriptor); }
  } closer{descriptor};
  struct stat info {};
  const ErrorPlace place{path.string(), "", ""};
  if (::fstat(descriptor, &info) != 0) throw ModelError(cat("cannot read file: ", reason(errno)), place);
  if (S_ISDIR(info.st_mode)) throw ModelError("expected a file, found a folder", place);
  if (!S_ISREG(info.st_mode)) throw ModelError("not a regular file", place);
  if (info.st_size > max_bytes) {
    throw LimitError(cat("file has ", info.st_size, " bytes, more than the limit of ", max_bytes), place);
  }
  std::shared_ptr<MappedFile> file(new MappedFile);
  file->path_ = path;
  file->size_ = static_cast<std::size_t>(info.st_size);
  if (file->size_ == 0) return file;
  void* data = ::mmap(nullptr, file->size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (data == MAP_FAILED) throw ModelError(cat("cannot map file: ", reason(errno)), place);
  file->data_ = static_cast<const std::byte*>(data);
  live_mappings().add(file->bytes(), path);
  return file;
}

std::shared_ptr<const MappedFile> MappedFile::open(const std::filesystem::path& path, std::int64_t max_bytes) {
  // O_NONBLOCK: opening a named pipe must not wait for a writer.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    throw ModelError(cat("cannot open file: ", reason(errno)), {path.string(), "", ""});
  }
  return map_descriptor(descriptor, path, max_bytes);
}

MappedFile::~MappedFile() {
  if (data_ == nullptr) return;
  live_mappings().remove(data_);
  ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::release(std::span<const std::byte> bytes) {
  live_mappings().release(bytes, false);
}

void MappedFile::release_file(std::span<const std::byte> bytes) {
  live_mappings().release(bytes, true);
}

std::optional<MappedFile::Place> MappedFile::locate(std::span<const std::byte> bytes) {
  return live_mappings().locate(bytes);
}

AtomicFileWriter::AtomicFileWriter(std::filesystem::path target)
    : target_(std::move(target)), temporary_(temporary_name(target_)) {
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (descriptor_ < 0) fail("cannot create");
}

AtomicFileWriter::~AtomicFileWriter() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void AtomicFileWriter::fail(const char* action) const {
  const int error = errno;
  const std::string message = cat(action, " file: ", reason(error));
  const ErrorPlace place{target_.string(), "", ""};
  if (error == ENOSPC || error == EDQUOT || error == EFBIG)
    throw LimitError(message, place, "free some space and run it again");
  throw ModelError(message, place);
}

void AtomicFileWriter::flush() {
  const char* data = buffer_.data();
  std::size_t left = buffer_.size();
  while (left > 0) {
    const ssize_t written = ::write(descriptor_, data, left);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("cannot write");
    data += written;
    left -= static_cast<std::size_t>(written);
  }
  buffer_.clear();
}

void AtomicFileWriter::write(std::string_view text) {
  bytes_written_ += static_cast<std::int64_t>(text.size());
  while (!text.empty()) {
    const std::size_t take = std::min(text.size(), write_buffer_bytes - buffer_.size());
    buffer_.append(text.substr(0, take));
    text.remove_prefix(take);
    if (buffer_.size() == write_buffer_bytes) flush();
  }
}

void AtomicFileWriter::write(std::span<const std::byte> data) {
  write(std::string_view(reinterpret_cast<const char*>(data.data()), data.size()));
}

void AtomicFileWriter::commit() {
  flush();
  if (::fsync(descriptor_) != 0) fail("cannot write");
  if (::close(descriptor_) != 0) {
    descriptor_ = -1;
    ::unlink(temporary_.c_str());
    fail("cannot write");
  }
  descriptor_ = -1;
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary_.c_str());
    errno = error;
    fail("cannot replace");
  }
  std::filesystem::path folder = target_.parent_path();
  if (folder.empty()) folder = ".";
  const int folder_descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_descriptor >= 0) {
    ::fsync(folder_descriptor);
    ::close(folder_descriptor);
  }
}

void write_file(const std::filesystem::path& path, std::string_view text) {
  AtomicFileWriter writer(path);
  writer.write(text);
  writer.commit();
}

void write_file(const std::filesystem::path& path, std::span<const std::byte> data) {
  AtomicFileWriter writer(path);
  writer.write(data);
  writer.commit();
}

std::string read_text_file(const std::filesystem::path& path, std::int64_t max_bytes) {
  const auto file = MappedFile::open(path, max_bytes);
  const auto bytes = file->bytes();
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace adze
