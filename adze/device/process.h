#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace adze::device {

/// A folder below the system's temporary one, removed with all it holds.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Where the program lies on the PATH, or nothing.
std::optional<std::filesystem::path> find_program(const std::string& name);

struct ProcessResult {
  int exit_code = -1;  ///< 128 + signal when killed
  bool timed_out = false;
  bool output_cut = false;  ///< more than max_output_bytes were written: the process was killed
  std::string output;       ///< standard output and standard error together
};

struct ProcessLimits {
  double seconds = 60;
  std::size_t max_output_bytes = std::size_t{1} << 20;
};

/// Runs argv[0] (a path) with these arguments and no shell, in the given folder, without standard input; kills it at
/// the limits and when the caller is cancelled. Throws ModelError when it cannot be started.
ProcessResult run_process(const std::vector<std::string>& argv, const std::filesystem::path& folder,
                          const ProcessLimits& limits = {});

}  // namespace adze::device
