#include "adze/formats/onnx/external.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "adze/base/error.h"
#include "adze/base/text.h"

namespace adze::onnx {

namespace {

// O_NONBLOCK: opening a named pipe must not wait for a writer.
constexpr int open_flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }
  /// Closes what it held; keeps errno.
  void reset(int number) {
    const int error = errno;
    if (number_ >= 0) ::close(number_);
    number_ = number;
    errno = error;
  }

 private:
  int number_;
};

void check_location(const std::string& location) {
  const std::string shown = adze::quoted(location);
  if (location.empty()) throw ModelError("external data without a location");
  if (location.find('\0') != std::string::npos) throw ModelError(cat("external data location ", shown, " holds a NUL"));
  if (location.front() == '/') {
    throw ModelError(cat("external data location ", shown, " is absolute; it must be beneath the model's folder"));
  }
  for (const std::string& part : split(location, '/')) {
    if (part == "..") throw ModelError(cat("external data location ", shown, " leaves the model's folder"));
  }
}

int open_beneath(int folder, const std::string& location) {
  open_how how{};
  how.flags = open_flags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const long descriptor = ::syscall(SYS_openat2, folder, location.c_str(), &how, sizeof how);
  if (descriptor >= 0) return static_cast<int>(descriptor);
  const bool no_openat2 = errno == ENOSYS || errno == EPERM || errno == EINVAL;
  return no_openat2 ? open_beneath_by_component(folder, location) : -1;
}

std::string reason(int error) {
  if (error == ELOOP) return "it is, or leads through, a symbolic link";
  if (error == EXDEV) return "it leaves the model's folder";
  return std::strerror(error);
}

}  // namespace

int open_beneath_by_component(int folder_descriptor, const std::string& location) {
  Descriptor at(::dup(folder_descriptor));
  const std::vector<std::string> parts = split(location, '/');
  for (std::size_t i = 0; i < parts.size() && at.get() >= 0; ++i) {
    if (parts[i].empty() || parts[i] == ".") continue;
    const int flags = i + 1 < parts.size() ? open_flags | O_DIRECTORY : open_flags;
    at.reset(::openat(at.get(), parts[i].c_str(), flags));
  }
  return at.release();
}

std::shared_ptr<const MappedFile> ExternalFiles::open(const std::string& location) {
  check_location(location);
  if (const auto found = files_.find(location); found != files_.end()) return found->second;
  const std::filesystem::path folder = folder_.empty() ? "." : folder_;
  const Descriptor folder_descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder_descriptor.get() < 0) throw ModelError(cat("cannot open the model's folder: ", reason(errno)));
  Descriptor file(open_beneath(folder_descriptor.get(), location));
  if (file.get() < 0) throw ModelError(cat("cannot open external data ", adze::quoted(location), ": ", reason(errno)));
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) throw ModelError(cat("cannot read external data ", adze::quoted(location)));
  if (S_ISREG(info.st_mode) && info.st_nlink > 1) {
    throw ModelError(cat("external data ", adze::quoted(location), " has ", info.st_nlink,
                         " hard links; it must be a file of its own"),
                     {}, "copy the file");
  }
  auto mapped = map_descriptor(file.release(), folder / location, max_bytes_);
  files_.emplace(location, mapped);
  return mapped;
}

}  // namespace adze::onnx
