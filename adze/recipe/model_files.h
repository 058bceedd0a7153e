#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adze/graph/graph.h"

namespace adze {

/// Reads a model file, recognised by its content: ONNX, TFLite, or the text form of a graph (.adze).
/// Throws ModelError naming the file.
Graph load_model(const std::filesystem::path& path);

/// The same for an ONNX or TFLite model in memory, which owner keeps alive. External data is refused.
Graph load_model_bytes(std::span<const std::byte> bytes, std::shared_ptr<const void> owner);

struct SaveOptions {
  int opset = 21;
  bool external_data = false;  ///< weights in a second file beside the model
};

/// Writes a model whole or not at all; the format by the name's extension: .onnx, or .adze for text.
/// Throws UsageError for another extension.
void save_model(const Graph& graph, const std::filesystem::path& path, const SaveOptions& options = {});

}  // namespace adze
