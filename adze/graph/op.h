#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace adze {

enum class OpKind : std::uint16_t {
#define ADZE_OP(kind, ...) kind,
#include "adze/graph/ops.def"
#undef ADZE_OP
};

#define ADZE_OP(kind, ...) +1
inline constexpr int num_op_kinds = 0
#include "adze/graph/ops.def"
    ;
#undef ADZE_OP

enum class Domain : std::uint8_t {
  Onnx,      ///< "" or "ai.onnx"
  Training,  ///< "ai.onnx.preview.training"
  Adze,      ///< "adze"
};

/// What a rule may assume of an operator without knowing it.
enum class OpClass : std::uint8_t {
  Elementwise,  ///< each output element depends on the broadcast elements at its place only
  Movement,     ///< output elements are input elements, moved, copied or dropped: scales pass through
  Reduction,
  Compute,
  Control,  ///< subgraphs, sequences, optionals
  Random,   ///< not a function of its inputs: never folded, never merged
};

/// One row of the op table.
struct OpInfo {
  OpKind kind;
  std::string_view name;
  Domain domain;
  int since;  ///< first opset of its domain that has it
  int min_inputs;
  int max_inputs;  ///< any_count = no limit
  int min_outputs;
  int max_outputs;
  OpClass op_class;
  std::string_view attributes;
};

inline constexpr int any_count = 1 << 20;

enum class AttributeType : std::uint8_t { Int, Float, String, Ints, Floats, Strings, Tensor, Graph, Type };

/// What the table says of one attribute.
struct AttributeSchema {
  std::string name;
  AttributeType type;
  bool required = false;
  std::optional<std::string> default_text;
};

const OpInfo& op_info(OpKind kind);
std::string_view op_name(OpKind kind);
std::string_view domain_name(Domain domain);
/// The operator of that name, or nothing. domain is "" (or "ai.onnx"), "ai.onnx.preview.training" or "adze".
std::optional<OpKind> op_from_name(std::string_view domain, std::string_view name);
/// All operator names of every domain, for hints.
const std::vector<std::string>& op_names();
std::span<const AttributeSchema> attribute_schemas(OpKind kind);
const AttributeSchema* find_attribute_schema(OpKind kind, std::string_view name);

}  // namespace adze
