#include "tests/emit/compile.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <map>

#include "adze/base/files.h"
#include "adze/base/text.h"

namespace adze::testing {

namespace {

Ran run(const std::string& command) {
  Ran ran;
  std::FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return ran;
  std::array<char, 4096> buffer{};
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    ran.output.append(buffer.data(), count);
  }
  const int status = pclose(pipe);
  ran.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

class Folder {
 public:
  Folder() {
    static int number = 0;
    path_ = std::filesystem::temp_directory_path() / cat("adze_emit_", getpid(), "_", number++);
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The runtime's files are the same for every network: each is compiled once a program and compiler.
class RuntimeObjects {
 public:
  /// What to link instead of the source, or the compiler's complaints.
  std::pair<std::string, Ran> object(const std::filesystem::path& folder, const std::string& file,
                                     const std::string& compiler) {
    const auto [at, added] = numbers_.try_emplace(compiler + file, numbers_.size());
    const std::string path = (objects_.path() / cat(at->second, ".o")).string();
    if (!added && std::filesystem::exists(path)) return {path, {0, {}}};
    return {path, run(cat("cd ", folder.string(), " && ", compiler, " -c ", file, " -o ", path))};
  }

 private:
  Folder objects_;
  std::map<std::string, std::size_t> numbers_;
};

}  // namespace

Ran compile_and_run(const emit::Emission& emission, const std::string& name, const std::string& compiler) {
  const Folder folder;
  static RuntimeObjects objects;
  std::string sources;
  for (const auto& file : emission.files) write_file(folder.path() / file.path, file.bytes);
  for (const auto& file : emission.files) {
    if (!file.path.ends_with(".c") && !file.path.ends_with(".S")) continue;
    if (!file.path.starts_with("adze_")) {
      sources += cat(" ", file.path);
      continue;
    }
    const auto [object, made] = objects.object(folder.path(), file.path, compiler);
    if (made.exit_code != 0) return made;
    sources += cat(" ", object);
  }
  const Ran compiled = run(cat("cd ", folder.path().string(), " && ", compiler, sources, " -o ", name, "_test -lm"));
  if (compiled.exit_code != 0) return compiled;
  return run(cat("cd ", folder.path().string(), " && ./", name, "_test"));
}

Ran compile_only(const emit::Emission& emission, const std::string& compiler) {
  const Folder folder;
  std::string sources;
  for (const auto& file : emission.files) {
    write_file(folder.path() / file.path, file.bytes);
    if (file.path.ends_with(".c")) sources += cat(" ", file.path);
  }
  return run(cat("cd ", folder.path().string(), " && ", compiler, " -c", sources));
}

}  // namespace adze::testing
