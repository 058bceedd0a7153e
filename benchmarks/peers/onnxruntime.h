#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "adze/numerics/tensor.h"

namespace adze::peers {

/// ONNX Runtime, opened from its shared library when first needed. Throws ModelError with its own message.
class OnnxRuntime {
 public:
  /// The library that tests/witness/setup installs from npm, or nothing.
  static std::filesystem::path installed_library(const std::filesystem::path& source_folder);

  explicit OnnxRuntime(const std::filesystem::path& library);
  const std::string& version() const { return version_; }

 private:
  friend class OnnxRuntimeSession;
  void* const* functions_ = nullptr;
  void* environment_ = nullptr;
  std::string version_;
};

enum class Fusion : std::uint8_t {
  All,   ///< everything that makes it fast
  None,  ///< each operator as the model has it: quantized networks compute in float between their codes
};

/// A model in ONNX Runtime: CPU provider, sequential execution, everything else as it comes.
/// Inputs are bound once; outputs stay where the first run put them, so that nothing is allocated while measuring.
class OnnxRuntimeSession {
 public:
  OnnxRuntimeSession(OnnxRuntime& runtime, const std::filesystem::path& model, int threads,
                     Fusion fusion = Fusion::All);
  ~OnnxRuntimeSession();
  OnnxRuntimeSession(const OnnxRuntimeSession&) = delete;
  OnnxRuntimeSession& operator=(const OnnxRuntimeSession&) = delete;

  /// f32 tensors, in the model's order.
  void bind(const std::vector<Tensor>& inputs);
  void run();
  /// f32, of the last run.
  std::vector<Tensor> outputs();

 private:
  struct Names;

  OnnxRuntime& runtime_;
  void* session_ = nullptr;
  std::vector<Tensor> inputs_;
  std::vector<std::string> input_names_, output_names_;
  std::vector<const char*> input_pointers_, output_pointers_;
  std::vector<void*> input_values_, output_values_;
};

}  // namespace adze::peers
