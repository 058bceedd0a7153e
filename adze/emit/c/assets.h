#pragma once

#include <span>
#include <string_view>

namespace adze::emit {

/// A file of adze/emit/c/runtime, embedded at build time.
struct RuntimeFile {
  std::string_view name;
  std::string_view text;
};

std::span<const RuntimeFile> runtime_files();

}  // namespace adze::emit
