#include "adze/graph/op.h"

#include <array>
#include <map>

#include "adze/base/error.h"
#include "adze/base/text.h"

namespace adze {

namespace {

constexpr int Any = any_count;

constexpr std::array<OpInfo, num_op_kinds> table = {{
#define ADZE_OP(kind, domain, since, min_in, max_in, min_out, max_out, op_class, attributes) \
  {OpKind::kind, #kind, Domain::domain, since, min_in, max_in, min_out, max_out, OpClass::op_class, attributes},
#include "adze/graph/ops.def"
#undef ADZE_OP
}};

AttributeType attribute_type(std::string_view name) {
  static const std::map<std::string_view, AttributeType> types = {
      {"int", AttributeType::Int},       {"float", AttributeType::Float},          {"string", AttributeType::String},
      {"ints", AttributeType::Ints},     {"floats", AttributeType::Floats},        {"strings", AttributeType::Strings},
      {"tensor", AttributeType::Tensor}, {"sparse_tensor", AttributeType::Tensor}, {"graph", AttributeType::Graph},
      {"type", AttributeType::Type}};
  const auto found = types.find(name);
  if (found == types.end()) throw InternalError(cat("op table: unknown attribute type ", name));
  return found->second;
}

std::vector<AttributeSchema> parse_schemas(std::string_view text) {
  std::vector<AttributeSchema> schemas;
  for (const std::string& item : split(text, ' ')) {
    AttributeSchema schema;
    const std::size_t colon = item.find(':');
    schema.name = item.substr(0, colon);
    std::string type = item.substr(colon + 1);
    if (const std::size_t equals = type.find('='); equals != std::string::npos) {
      schema.default_text = type.substr(equals + 1);
      type.resize(equals);
    }
    if (type.ends_with('!')) {
      schema.required = true;
      type.pop_back();
    }
    schema.type = attribute_type(type);
    schemas.push_back(std::move(schema));
  }
  return schemas;
}

const std::vector<std::vector<AttributeSchema>>& all_schemas() {
  static const auto schemas = [] {
    std::vector<std::vector<AttributeSchema>> result;
    for (const OpInfo& info : table) result.push_back(parse_schemas(info.attributes));
    return result;
  }();
  return schemas;
}

}  // namespace

const OpInfo& op_info(OpKind kind) {
  return table[static_cast<std::size_t>(kind)];
}
std::string_view op_name(OpKind kind) {
  return op_info(kind).name;
}

std::string_view domain_name(Domain domain) {
  switch (domain) {
    case Domain::Onnx:
      return "";
    case Domain::Training:
      return "ai.onnx.preview.training";
    case Domain::Adze:
      return "adze";
  }
  return "";
}

std::optional<OpKind> op_from_name(std::string_view domain, std::string_view name) {
  static const auto by_name = [] {
    std::map<std::pair<std::string_view, std::string_view>, OpKind> map;
    for (const OpInfo& info : table) map[{domain_name(info.domain), info.name}] = info.kind;
    return map;
  }();
  const auto found = by_name.find({domain == "ai.onnx" ? "" : domain, name});
  if (found == by_name.end()) return std::nullopt;
  return found->second;
}

const std::vector<std::string>& op_names() {
  static const auto names = [] {
    std::vector<std::string> result;
    for (const OpInfo& info : table) result.emplace_back(info.name);
    return result;
  }();
  return names;
}

std::span<const AttributeSchema> attribute_schemas(OpKind kind) {
  return all_schemas()[static_cast<std::size_t>(kind)];
}

const AttributeSchema* find_attribute_schema(OpKind kind, std::string_view name) {
  for (const AttributeSchema& schema : attribute_schemas(kind)) {
    if (schema.name == name) return &schema;
  }
  return nullptr;
}

}  // namespace adze
