#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "adze/graph/graph.h"

namespace adze::onnx {

struct WriteOptions {
  int opset = 21;                          ///< 11 to 21
  bool external_data = false;              ///< large tensors go to NAME.data beside the model
  bool sparse = false;                     ///< weights that are mostly 0 as sparse initializers, where that is smaller
  bool packed_codes = true;                ///< weights of 1 and 2 bits packed, for opset 18 and later (packed_codes.h)
  std::int64_t external_threshold = 1024;  ///< smallest tensor, in bytes, that goes there
};

/// Writes the graph as an ONNX model, whole or not at all, in the IR version that fits the opset. Equal graphs give
/// equal bytes. Weights are streamed, not copied.
/// Throws UnsupportedError naming the node that the opset cannot express; ModelError or LimitError from the file
/// system.
void write(const Graph& graph, const std::filesystem::path& path, const WriteOptions& options = {});

/// The same as bytes. UsageError with external_data.
std::string write_bytes(const Graph& graph, const WriteOptions& options = {});

}  // namespace adze::onnx
