#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "adze/graph/graph.h"

namespace adze::tflite {

/// What the names of metadata entries begin with that are written and read: preprocessing, class names, facts.
inline constexpr const char* own_metadata = "adze.";

/// Budgets for reading; more throws LimitError.
struct ReadOptions {
  std::int64_t max_file_bytes = std::int64_t{4} << 30;
  std::int64_t max_tensors = 1'000'000;
  std::int64_t max_operators = 1'000'000;
};

/// Reads a TFLite model (schema version 3) as a graph of ONNX operators.
///
/// Layout   Pictures are NCHW: graph inputs of rank 4 that feed spatial operators are NCHW values, the metadata entry
///          "adze.source_layout" is then "NHWC", and axes, pads and weights are turned with them. A Transpose stands
///          only where an operator really needs the elements in the other order.
/// Numbers  A quantized tensor becomes QuantizeLinear → DequantizeLinear around float operators; the quantized value
/// has
///          the tensor's name, its float twins have "/float" and "/dequantized" appended. Constants stay quantized,
///          read in place, with a DequantizeLinear. The metadata entry "adze.rounding" is then "tflm".
/// Names    Values are named as the tensors, nodes as their first output.
///
/// Throws ModelError naming file and operator for a damaged file, one UnsupportedError that names every operator which
/// adze does not know, LimitError beyond a budget.
Graph read(const std::filesystem::path& path, const ReadOptions& options = {});
/// The same from memory that owner keeps alive (constants refer to it). model_path is for messages.
Graph read_bytes(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, const ReadOptions& options = {},
                 const std::filesystem::path& model_path = {});

/// Names of the TFLite operators that read() translates.
std::vector<std::string> supported_operators();

}  // namespace adze::tflite
