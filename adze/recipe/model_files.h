#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adze/base/hash.h"
#include "adze/graph/graph.h"

namespace adze {

/// "zoo:NAME,…" instead of a file: a network of adze/zoo with random weights.
bool is_zoo_model(const std::filesystem::path& path);
/// Size and SHA-256 of the model's file; 0 and nothing for a network of the zoo.
FileIdentity identify_model(const std::filesystem::path& path);

/// Reads a model file, recognised by its content: ONNX, TFLite, or the text form of a graph (.adze); or builds a
/// network of the zoo.
/// Throws ModelError naming the file.
Graph load_model(const std::filesystem::path& path);

/// The same for an ONNX or TFLite model in memory, which owner keeps alive. External data is refused.
Graph load_model_bytes(std::span<const std::byte> bytes, std::shared_ptr<const void> owner);

struct SaveOptions {
  int opset = 21;
  bool external_data = false;  ///< weights in a second file beside the model
  bool sparse = false;         ///< weights that are mostly 0 as sparse initializers (.onnx)
  bool packed_codes = true;    ///< weights of 1 and 2 bits several to a byte, unpacked by a function (.onnx)
};

/// Writes a model whole or not at all; the format by the name's extension: .onnx, .tflite, or .adze for text.
/// Throws UsageError for another extension.
void save_model(const Graph& graph, const std::filesystem::path& path, const SaveOptions& options = {});

}  // namespace adze
