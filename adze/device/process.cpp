#include "adze/device/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "adze/base/error.h"
#include "adze/base/progress.h"
#include "adze/base/text.h"

extern char** environ;

namespace adze::device {

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "adze-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) {
    throw ModelError(cat("cannot make a temporary folder: ", std::strerror(errno)), {name, {}, {}});
  }
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::optional<std::filesystem::path> find_program(const std::string& name) {
  const char* list = std::getenv("PATH");
  std::string_view rest = list != nullptr ? list : "/usr/bin:/bin";
  while (true) {
    const std::size_t colon = rest.find(':');
    const std::filesystem::path candidate = std::filesystem::path(rest.substr(0, colon)) / name;
    std::error_code ignored;
    if (access(candidate.c_str(), X_OK) == 0 && std::filesystem::is_regular_file(candidate, ignored)) return candidate;
    if (colon == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(colon + 1);
  }
}

namespace {

/// A started child and the pipe of its output; killed and reaped in any case.
class Child {
 public:
  Child(const std::vector<std::string>& argv, const std::filesystem::path& folder) {
    std::array<int, 2> pipe{};
    if (pipe2(pipe.data(), O_CLOEXEC) != 0) fail("make a pipe for", argv[0], errno);
    output_ = pipe[0];
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, pipe[1], STDERR_FILENO);
    // A group of its own, so that what the child starts (a compiler's passes) ends with it.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setpgroup(&attributes, 0);
    std::vector<char*> arguments;
    for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    const int error = posix_spawn(&id_, argv[0].c_str(), &actions, &attributes, arguments.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    close(pipe[1]);
    if (error != 0) {
      id_ = -1;
      close(output_);
      fail("start", argv[0], error);
    }
  }
  ~Child() {
    close(output_);
    if (id_ > 0) {
      kill();
      wait();
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  int output() const { return output_; }
  void kill() const { ::kill(-id_, SIGKILL); }
  int wait() {
    int status = 0;
    while (waitpid(id_, &status, 0) < 0 && errno == EINTR) {
    }
    id_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  [[noreturn]] static void fail(const char* action, const std::string& program, int error) {
    throw ModelError(cat("cannot ", action, " ", program, ": ", std::strerror(error)));
  }

  pid_t id_ = -1;
  int output_ = -1;
};

}  // namespace

ProcessResult run_process(const std::vector<std::string>& argv, const std::filesystem::path& folder,
                          const ProcessLimits& limits) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double>(limits.seconds);
  ProcessResult result;
  Child child(argv, folder);
  std::array<char, 8192> buffer{};
  while (true) {
    check_cancelled();
    if (Clock::now() >= end) {
      result.timed_out = true;
      child.kill();
      break;
    }
    pollfd descriptor{child.output(), POLLIN, 0};
    if (poll(&descriptor, 1, 50) <= 0) continue;
    const ssize_t count = read(child.output(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    result.output.append(buffer.data(), static_cast<std::size_t>(count));
    if (result.output.size() > limits.max_output_bytes) {
      result.output_cut = true;
      child.kill();
      break;
    }
  }
  result.exit_code = child.wait();
  return result;
}

}  // namespace adze::device
