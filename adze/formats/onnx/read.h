#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <variant>
#include <vector>

#include "adze/graph/graph.h"

namespace adze::onnx {

/// Budgets for files that nobody vouches for. What exceeds one is refused with a LimitError.
struct ReadOptions {
  std::int64_t max_file_bytes = std::int64_t{64} << 30;
  std::int64_t max_nodes = 250'000;                        ///< after functions are expanded
  std::int64_t max_records = 2'000'000;                    ///< attributes, names, value infos and tensors together
  int max_depth = 32;                                      ///< nested subgraphs and function calls
  std::int64_t max_sparse_bytes = std::int64_t{64} << 20;  ///< of one sparse tensor made dense
  bool allow_external_data = true;
};

/// Newest operator set of the default domain that is read, and the one that graphs are in.
inline constexpr int newest_opset = 21;

/// Reads an ONNX model: IR 3 to 10, opsets 1 to 21. The graph has opset 21 forms, model functions are expanded,
/// Constant nodes and initializers are constants, types are inferred, and verify() has passed. Weights stay in the
/// mapped file. An initializer that is also an input counts as constant.
///
/// Throws ModelError (malformed or contradictory; names file and node), UnsupportedError (operators, opsets or types
/// outside of adze: all of the operators in one message), LimitError.
Graph read(const std::filesystem::path& path, const ReadOptions& options = {});

/// The same from memory. owner keeps the bytes alive; model_path is for messages, and its folder holds external data
/// (refused when empty).
Graph read_bytes(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, const ReadOptions& options = {},
                 std::filesystem::path model_path = {});

/// A TensorProto, as in the input_0.pb files of ONNX test data.
Tensor read_tensor(std::span<const std::byte> bytes, std::shared_ptr<const void> owner);

/// The content of a value of any type: nothing (an empty optional), a tensor, or a sequence.
struct ValueData {
  std::variant<std::monostate, Tensor, std::vector<ValueData>> content;
};

/// A TensorProto, SequenceProto or OptionalProto, as type says.
ValueData read_value(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, const ValueType& type);

}  // namespace adze::onnx
