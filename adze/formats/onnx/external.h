#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "adze/base/files.h"

namespace adze::onnx {

/// The files beside a model that hold weights. Each is opened once, beneath the model's folder only.
///
/// Refused: absolute paths, "..", symbolic links anywhere below the folder, files with more than one hard link (the
/// other name may be outside), anything that is no regular file. Linux resolves the path (openat2); elsewhere each
/// component is opened by itself without following links.
class ExternalFiles {
 public:
  ExternalFiles(std::filesystem::path folder, std::int64_t max_bytes)
      : folder_(std::move(folder)), max_bytes_(max_bytes) {}

  /// Throws ModelError naming the location.
  std::shared_ptr<const MappedFile> open(const std::string& location);

 private:
  std::filesystem::path folder_;
  std::int64_t max_bytes_;
  std::map<std::string, std::shared_ptr<const MappedFile>> files_;
};

/// Opens location beneath folder_descriptor one component after the other; -1 and errno on failure. Not for use
/// without the checks of ExternalFiles; here for its test.
int open_beneath_by_component(int folder_descriptor, const std::string& location);

}  // namespace adze::onnx
