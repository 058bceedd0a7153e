#include "adze/formats/onnx/messages.h"

#include "adze/base/text.h"

namespace adze::onnx {

namespace {

GraphMessage parse_graph(Bytes bytes, ParseBudget& budget, int depth);

std::pair<std::string_view, std::string_view> parse_property(Bytes bytes, ParseBudget& budget) {
  budget.count_record();
  std::pair<std::string_view, std::string_view> property;
  for (WireCursor cursor(bytes, "StringStringEntryProto"); cursor.next();) {
    if (cursor.field().number() == 1) property.first = cursor.field().text();
    if (cursor.field().number() == 2) property.second = cursor.field().text();
  }
  return property;
}

/// The kind that a payload field of AttributeProto belongs to.
AttributeKind kind_of_field(std::uint32_t number) {
  switch (number) {
    case 2:
      return AttributeKind::Float;
    case 3:
      return AttributeKind::Int;
    case 4:
      return AttributeKind::String;
    case 5:
      return AttributeKind::Tensor;
    case 6:
      return AttributeKind::Graph;
    case 7:
      return AttributeKind::Floats;
    case 8:
      return AttributeKind::Ints;
    case 9:
      return AttributeKind::Strings;
    case 10:
      return AttributeKind::Tensors;
    case 11:
      return AttributeKind::Graphs;
    case 14:
      return AttributeKind::Type;
    case 15:
      return AttributeKind::Types;
    case 22:
      return AttributeKind::SparseTensor;
    case 23:
      return AttributeKind::SparseTensors;
    default:
      return AttributeKind::Undefined;
  }
}

void parse_payload(const Field& field, AttributeMessage& attribute, ParseBudget& budget, int depth) {
  switch (field.number()) {
    case 2:
      attribute.real = field.real();
      break;
    case 3:
      attribute.integer = field.integer();
      break;
    case 4:
      attribute.text = field.raw_text();
      break;
    case 5:
    case 22:
      attribute.tensor = field.bytes();
      break;
    case 6:
      attribute.graph = std::make_shared<GraphMessage>(parse_graph(field.bytes(), budget, depth + 1));
      break;
    case 7:
      field.append_to(attribute.reals);
      break;
    case 8:
      field.append_to(attribute.integers);
      break;
    case 9:
      attribute.texts.push_back(field.raw_text());
      break;
    case 14:
      attribute.type = parse_type(field.bytes());
      break;
    default:
      break;
  }
}

/// The declared kind must be the one of the payload. Files of IR 1 declare none; an empty or zero payload may be
/// absent.
void settle_kind(AttributeMessage& attribute, std::int64_t declared, AttributeKind found) {
  if (declared < 0 || declared > static_cast<std::int64_t>(AttributeKind::Types)) {
    throw ModelError(cat("attribute ", quoted(attribute.name), " has the unknown type ", declared));
  }
  attribute.kind = static_cast<AttributeKind>(declared);
  if (attribute.kind == AttributeKind::Undefined) attribute.kind = found;
  if (found != AttributeKind::Undefined && attribute.kind != found) {
    throw ModelError(cat("attribute ", quoted(attribute.name), " is declared with type ", declared,
                         " but holds a value of type ", static_cast<int>(found)));
  }
  const bool needs_payload = attribute.kind == AttributeKind::Undefined || attribute.kind == AttributeKind::Tensor ||
                             attribute.kind == AttributeKind::Graph || attribute.kind == AttributeKind::SparseTensor ||
                             attribute.kind == AttributeKind::Type;
  if (needs_payload && found == AttributeKind::Undefined && attribute.reference.empty()) {
    throw ModelError(cat("attribute ", quoted(attribute.name), " has no value"));
  }
}

AttributeMessage parse_attribute(Bytes bytes, ParseBudget& budget, int depth) {
  budget.count_record();
  AttributeMessage attribute;
  std::int64_t declared = 0;
  AttributeKind found = AttributeKind::Undefined;
  for (WireCursor cursor(bytes, "AttributeProto"); cursor.next();) {
    const Field& field = cursor.field();
    switch (field.number()) {
      case 1:
        attribute.name = field.text();
        continue;
      case 20:
        declared = field.integer();
        continue;
      case 21:
        attribute.reference = field.text();
        continue;
      default:
        break;
    }
    const AttributeKind kind = kind_of_field(field.number());
    if (kind == AttributeKind::Undefined) continue;
    if (found != AttributeKind::Undefined && found != kind) {
      throw ModelError(cat("attribute ", quoted(attribute.name), " holds values of two types"));
    }
    found = kind;
    parse_payload(field, attribute, budget, depth);
  }
  if (attribute.name.empty()) throw ModelError("an attribute has no name");
  settle_kind(attribute, declared, found);
  return attribute;
}

void parse_node_field(const Field& field, NodeMessage& node, ParseBudget& budget, int depth) {
  switch (field.number()) {
    case 1:
      budget.count_record();
      node.inputs.push_back(field.text());
      break;
    case 2:
      budget.count_record();
      node.outputs.push_back(field.text());
      break;
    case 3:
      node.name = field.text();
      break;
    case 4:
      node.op = field.text();
      break;
    case 5:
      node.attributes.push_back(parse_attribute(field.bytes(), budget, depth));
      break;
    case 6:
      node.doc = field.text();
      break;
    case 7:
      node.domain = field.text();
      break;
    case 8:
      node.overload = field.text();
      break;
    case 9:
      node.metadata.push_back(parse_property(field.bytes(), budget));
      break;
    default:
      break;
  }
}

NodeMessage parse_node(Bytes bytes, ParseBudget& budget, int depth) {
  budget.count_node();
  NodeMessage node;
  try {
    for (WireCursor cursor(bytes, "NodeProto"); cursor.next();) parse_node_field(cursor.field(), node, budget, depth);
  } catch (const Error& error) {
    rethrow_with_place(error, {"", std::string(node.name), std::string(node.op)});
  }
  if (node.domain == "ai.onnx") node.domain = "";
  return node;
}

ValueMessage parse_value(Bytes bytes, ParseBudget& budget) {
  budget.count_record();
  ValueMessage value;
  Bytes type;
  for (WireCursor cursor(bytes, "ValueInfoProto"); cursor.next();) {
    if (cursor.field().number() == 1) value.name = cursor.field().text();
    if (cursor.field().number() == 2) type = cursor.field().bytes();
  }
  if (value.name.empty()) throw ModelError("a declared value has no name");
  try {
    value.type = parse_type(type);
  } catch (const Error& error) {
    rethrow_with_place(error, {"", cat("value ", value.name), ""});
  }
  return value;
}

GraphMessage parse_graph(Bytes bytes, ParseBudget& budget, int depth) {
  if (depth > budget.options.max_depth) {
    throw LimitError(cat("subgraphs are nested more than ", budget.options.max_depth, " deep"));
  }
  GraphMessage graph;
  for (WireCursor cursor(bytes, "GraphProto"); cursor.next();) {
    const Field& field = cursor.field();
    switch (field.number()) {
      case 1:
        graph.nodes.push_back(parse_node(field.bytes(), budget, depth));
        break;
      case 2:
        graph.name = field.text();
        break;
      case 5:
        budget.count_record();
        graph.initializers.push_back(field.bytes());
        break;
      case 10:
        graph.doc = field.text();
        break;
      case 11:
        graph.inputs.push_back(parse_value(field.bytes(), budget));
        break;
      case 12:
        graph.outputs.push_back(parse_value(field.bytes(), budget));
        break;
      case 13:
        graph.values.push_back(parse_value(field.bytes(), budget));
        break;
      case 15:
        budget.count_record();
        graph.sparse_initializers.push_back(field.bytes());
        break;
      default:
        break;
    }
  }
  return graph;
}

void parse_opset(Bytes bytes, OpsetImports& opsets) {
  std::string_view domain;
  std::int64_t version = 0;
  for (WireCursor cursor(bytes, "OperatorSetIdProto"); cursor.next();) {
    if (cursor.field().number() == 1) domain = cursor.field().text();
    if (cursor.field().number() == 2) version = cursor.field().integer();
  }
  if (domain == "ai.onnx") domain = "";
  const auto [place, added] = opsets.emplace(domain, version);
  if (!added && place->second != version) {
    throw ModelError(
        cat("opset_import gives domain ", quoted(domain), " two versions, ", place->second, " and ", version));
  }
}

FunctionMessage parse_function(Bytes bytes, ParseBudget& budget) {
  budget.count_record();
  FunctionMessage function;
  const auto add_name = [&](const Field& field, std::vector<std::string_view>& names) {
    budget.count_record();
    names.push_back(field.text());
  };
  for (WireCursor cursor(bytes, "FunctionProto"); cursor.next();) {
    const Field& field = cursor.field();
    switch (field.number()) {
      case 1:
        function.name = field.text();
        break;
      case 4:
        add_name(field, function.inputs);
        break;
      case 5:
        add_name(field, function.outputs);
        break;
      case 6:
        add_name(field, function.attributes);
        break;
      case 7:
        function.nodes.push_back(parse_node(field.bytes(), budget, 0));
        break;
      case 9:
        parse_opset(field.bytes(), function.opsets);
        break;
      case 10:
        function.domain = field.text();
        break;
      case 11:
        function.defaults.push_back(parse_attribute(field.bytes(), budget, 0));
        break;
      case 13:
        function.overload = field.text();
        break;
      default:
        break;
    }
  }
  if (function.domain == "ai.onnx") function.domain = "";
  return function;
}

}  // namespace

void ParseBudget::count_node() {
  if (++nodes > options.max_nodes) throw LimitError(cat("the model has more than ", options.max_nodes, " nodes"));
}

void ParseBudget::count_record() {
  if (++records > options.max_records) {
    throw LimitError(cat("the model has more than ", options.max_records, " names, attributes and tensors"));
  }
}

ModelMessage parse_model(Bytes bytes, const ReadOptions& options) {
  ParseBudget budget{options};
  ModelMessage model;
  bool has_graph = false;
  for (WireCursor cursor(bytes, "ModelProto"); cursor.next();) {
    const Field& field = cursor.field();
    switch (field.number()) {
      case 1:
        model.ir_version = field.integer();
        break;
      case 2:
        model.producer_name = field.text();
        break;
      case 3:
        model.producer_version = field.text();
        break;
      case 4:
        model.domain = field.text();
        break;
      case 5:
        model.model_version = field.integer();
        break;
      case 6:
        model.doc = field.text();
        break;
      case 7:
        if (has_graph) throw ModelError("the model has two graphs");
        has_graph = true;
        model.graph = parse_graph(field.bytes(), budget, 0);
        break;
      case 8:
        parse_opset(field.bytes(), model.opsets);
        break;
      case 14:
        model.metadata.push_back(parse_property(field.bytes(), budget));
        break;
      case 25:
        model.functions.push_back(parse_function(field.bytes(), budget));
        break;
      default:
        break;
    }
  }
  if (!has_graph) throw ModelError("not an ONNX model: it has no graph");
  return model;
}

}  // namespace adze::onnx
