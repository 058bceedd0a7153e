#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <vector>

#include "adze/base/text.h"
#include "adze/base/version.h"
#include "adze/train/learner.h"

namespace adze::train {

namespace {

constexpr const char* file_name = "libadze_torch.so";

std::vector<std::filesystem::path> candidates(const std::string& path) {
  if (!path.empty()) return {path};
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  const std::filesystem::path above = folder.parent_path();
  std::vector<std::filesystem::path> result{folder / file_name, above / file_name, above / "lib" / "adze" / file_name};
  for (const char* architecture : {"x86_64-linux-gnu", "aarch64-linux-gnu"}) {
    result.push_back(above / "lib" / architecture / "adze" / file_name);
  }
  return result;
}

[[noreturn]] void refuse(const std::string& reason) {
  throw UnsupportedError(cat("training needs the plug-in ", file_name, ": ", reason), {},
                         "install libtorch (Debian: apt install libtorch-dev) and build adze again");
}

Plugin& open_plugin(const std::filesystem::path& path) {
  // Counts where the OpenMP library loads only now (the command takes care of itself, in its main): threads that spin
  // while waiting make two threads slower than one on a busy machine.
  setenv("OMP_WAIT_POLICY", "passive", 0);
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) refuse(dlerror());
  using VersionFunction = const char* (*)();
  using PluginFunction = Plugin* (*)();
  const auto version_function = reinterpret_cast<VersionFunction>(dlsym(library, "adze_torch_version"));
  const auto plugin_function = reinterpret_cast<PluginFunction>(dlsym(library, "adze_torch_plugin"));
  if (version_function == nullptr || plugin_function == nullptr) refuse(cat(path.string(), " is not it"));
  if (version() != version_function()) {
    refuse(cat(path.string(), " is of version ", version_function(), ", this is ", version()));
  }
  return *plugin_function();
}

}  // namespace

Plugin& plugin(const std::string& path) {
  static std::mutex mutex;
  static Plugin* opened = nullptr;
  const std::lock_guard lock(mutex);
  if (opened != nullptr) return *opened;
  for (const std::filesystem::path& candidate : candidates(path)) {
    std::error_code error;
    if (!std::filesystem::exists(candidate, error)) continue;
    opened = &open_plugin(candidate);
    return *opened;
  }
  refuse(path.empty() ? "it is not beside the command" : cat(path, " does not exist"));
}

}  // namespace adze::train
