#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "adze/formats/onnx/read.h"
#include "adze/formats/onnx/wire.h"

namespace adze::onnx {

/// ONNX's messages as they stand in the file: names and payloads point into it, tensors are not decoded yet.

/// The numbers are those of AttributeProto.AttributeType.
enum class AttributeKind : std::uint8_t {
  Undefined = 0,
  Float = 1,
  Int = 2,
  String = 3,
  Tensor = 4,
  Graph = 5,
  Floats = 6,
  Ints = 7,
  Strings = 8,
  Tensors = 9,
  Graphs = 10,
  SparseTensor = 11,
  SparseTensors = 12,
  Type = 13,
  Types = 14,
};

struct GraphMessage;

struct AttributeMessage {
  std::string_view name;
  std::string_view reference;  ///< in a function body: the function's attribute that gives the value
  AttributeKind kind = AttributeKind::Undefined;
  std::int64_t integer = 0;
  float real = 0;
  std::string_view text;
  Bytes tensor;  ///< TensorProto or SparseTensorProto
  std::vector<std::int64_t> integers;
  std::vector<float> reals;
  std::vector<std::string_view> texts;
  std::shared_ptr<const GraphMessage> graph;
  std::optional<ValueType> type;
};

using Properties = std::vector<std::pair<std::string_view, std::string_view>>;

struct NodeMessage {
  std::string_view name, op, domain, overload, doc;
  std::vector<std::string_view> inputs, outputs;
  std::vector<AttributeMessage> attributes;
  Properties metadata;
};

struct ValueMessage {
  std::string_view name;
  ValueType type;
};

struct GraphMessage {
  std::string_view name, doc;
  std::vector<NodeMessage> nodes;
  std::vector<ValueMessage> inputs, outputs, values;
  std::vector<Bytes> initializers, sparse_initializers;
};

/// Operator set versions by domain; "ai.onnx" is stored as "".
using OpsetImports = std::map<std::string_view, std::int64_t>;

struct FunctionMessage {
  std::string_view name, domain, overload;
  std::vector<std::string_view> inputs, outputs, attributes;
  std::vector<AttributeMessage> defaults;
  std::vector<NodeMessage> nodes;
  OpsetImports opsets;
};

struct ModelMessage {
  std::int64_t ir_version = 0;
  std::int64_t model_version = 0;
  std::string_view producer_name, producer_version, domain, doc;
  OpsetImports opsets;
  GraphMessage graph;
  std::vector<FunctionMessage> functions;
  Properties metadata;
};

/// Counts what is parsed against the options' budgets.
struct ParseBudget {
  const ReadOptions& options;
  std::int64_t nodes = 0;
  std::int64_t records = 0;

  void count_node();
  void count_record();
};

/// Throws ModelError without file: the caller adds it.
ModelMessage parse_model(Bytes bytes, const ReadOptions& options);
/// A TypeProto. depth counts the nesting of sequences and optionals.
ValueType parse_type(Bytes bytes, int depth = 0);

}  // namespace adze::onnx
