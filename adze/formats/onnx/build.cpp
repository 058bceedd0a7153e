#include "adze/formats/onnx/build.h"

#include "adze/base/progress.h"
#include "adze/base/text.h"
#include "adze/formats/onnx/builder.h"
#include "adze/formats/onnx/operators.h"
#include "adze/formats/onnx/order.h"
#include "adze/graph/verify.h"

namespace adze::onnx {

namespace {

ValueType declared_type(const Scope& scope, std::string_view name) {
  const auto found = scope.declared.find(name);
  return found == scope.declared.end() ? ValueType{} : *found->second;
}

void check_declared(const ValueType& declared, const Tensor& tensor, std::string_view name) {
  const bool fits = declared.is_tensor() && (declared.dtype == DType::Undefined || declared.dtype == tensor.dtype()) &&
                    (!declared.shape || compatible(*declared.shape, symbolic(tensor.shape())));
  if (fits) return;
  throw ModelError(
      cat("value ", quoted(name), " is declared as ", type_text(declared), " but holds ", type_text(tensor)));
}

Tensor constant_tensor(const Node& node) {
  if (node.attributes.size() != 1) {
    throw ModelError(cat("has ", node.attributes.size(), " attributes, expected one that gives the value"));
  }
  const Attribute& attribute = node.attributes.front().second;
  if (const auto* tensor = std::get_if<Tensor>(&attribute)) return *tensor;
  if (const auto* value = std::get_if<std::int64_t>(&attribute)) return Tensor::scalar(*value);
  if (const auto* value = std::get_if<float>(&attribute)) return Tensor::scalar(*value);
  if (const auto* value = std::get_if<std::string>(&attribute)) return Tensor::scalar(*value);
  const auto list = [](const auto& values) { return Tensor::from({static_cast<std::int64_t>(values.size())}, values); };
  if (const auto* values = std::get_if<std::vector<std::int64_t>>(&attribute)) return list(*values);
  if (const auto* values = std::get_if<std::vector<float>>(&attribute)) return list(*values);
  if (const auto* values = std::get_if<std::vector<std::string>>(&attribute)) return list(*values);
  throw ModelError(cat("attribute ", adze::quoted(node.attributes.front().first), " is no value"));
}

/// Attributes that hold an element type must hold one that exists.
void check_dtype_attributes(const Node& node) {
  for (const std::string_view name : {"to", "dtype", "output_datatype", "output_dtype"}) {
    const Attribute* attribute = node.find(name);
    const auto* number = attribute == nullptr ? nullptr : std::get_if<std::int64_t>(attribute);
    if (number == nullptr) continue;
    if (*number < 0 || *number >= num_dtypes) {
      throw ModelError(cat("attribute ", quoted(name), " is ", *number, ", which is no element type"));
    }
  }
}

void drop_absent_tail(std::vector<ValueId>& ids, int least) {
  while (static_cast<int>(ids.size()) > least && ids.back() == ValueId::None) ids.pop_back();
}

}  // namespace

Graph Builder::build() {
  Graph graph;
  graph.source_file = file_;
  Target target{graph, {}, {}, 0};
  Scope scope{target, nullptr, model_.opsets, {}, {}, {}, {}, {}, false};
  fill(scope, model_.graph);
  if (!model_.graph.name.empty()) graph.name = model_.graph.name;
  graph.doc = model_.graph.doc.empty() ? model_.doc : model_.graph.doc;
  graph.producer = model_.producer_name;
  if (!model_.producer_version.empty()) graph.producer += cat(" ", model_.producer_version);
  for (const auto& [key, value] : model_.metadata) graph.metadata[std::string(key)] = value;
  return graph;
}

void Builder::fill(Scope& scope, const GraphMessage& message) {
  for (const NodeMessage& node : message.nodes) {
    for (const std::string_view output : node.outputs) scope.target.names.reserve(output);
  }
  for (const ValueMessage& value : message.values) scope.declared.emplace(value.name, &value.type);
  for (const ValueMessage& value : message.outputs) scope.declared.insert_or_assign(value.name, &value.type);
  add_initializers(scope, message);
  add_inputs(scope, message);
  build_nodes(scope, message.nodes);
  add_outputs(scope, message);
}

ValueId Builder::add_constant(Scope& scope, std::string_view name, Tensor tensor) {
  if (const auto found = scope.declared.find(name); found != scope.declared.end()) {
    check_declared(*found->second, tensor, name);
  }
  const ValueId id = scope.target.graph.add_constant(scope.value_name(name), std::move(tensor));
  scope.define(name, id);
  return id;
}

void Builder::add_initializers(Scope& scope, const GraphMessage& message) {
  const auto add = [&](NamedTensor decoded, Bytes bytes) {
    if (decoded.name.empty()) throw ModelError("an initializer has no name");
    scope.target.names.reserve(decoded.name);
    // The scope's keys point into the file, which has the name too.
    std::string_view name;
    for (WireCursor cursor(bytes, "TensorProto"); cursor.next();) {
      if (cursor.field().number() == 8) name = cursor.field().text();
    }
    add_constant(scope, name, std::move(decoded.tensor));
  };
  for (const Bytes bytes : message.initializers) add(decode_tensor(bytes, source_), bytes);
  for (const Bytes bytes : message.sparse_initializers) {
    Bytes values;
    for (WireCursor cursor(bytes, "SparseTensorProto"); cursor.next();) {
      if (cursor.field().number() == 1) values = cursor.field().bytes();
    }
    add(decode_sparse_tensor(bytes, source_), values);
  }
}

void Builder::add_inputs(Scope& scope, const GraphMessage& message) {
  for (const ValueMessage& input : message.inputs) {
    scope.target.names.reserve(input.name);
    const auto initializer = scope.values.find(input.name);
    if (initializer != scope.values.end()) {
      const Tensor* constant = scope.target.graph.constant(initializer->second);
      if (constant == nullptr || scope.target.depth > 0) {
        throw ModelError(cat("value ", quoted(input.name), " is defined twice"));
      }
      check_declared(input.type, *constant, input.name);
      continue;
    }
    scope.define(input.name, scope.target.graph.add_input(std::string(input.name), input.type));
  }
}

void Builder::add_outputs(Scope& scope, const GraphMessage& message) {
  for (const ValueMessage& output : message.outputs) {
    const auto id = scope.find(output.name);
    if (!id || *id == ValueId::None) {
      throw ModelError(cat("graph output ", quoted(output.name), " is computed by nothing"));
    }
    scope.target.graph.add_output(*id);
  }
}

void Builder::build_nodes(Scope& scope, const std::vector<NodeMessage>& nodes) {
  for (const NodeMessage* node : build_order(nodes)) build_node(scope, *node);
}

std::vector<ValueId> Builder::find_inputs(Scope& scope, const NodeMessage& message) {
  std::vector<ValueId> inputs;
  for (const std::string_view name : message.inputs) {
    if (name.empty()) {
      inputs.push_back(ValueId::None);
      continue;
    }
    const auto id = scope.find(name);
    if (!id) throw ModelError(cat("reads ", quoted(name), ", which nothing computes"));
    inputs.push_back(*id);
  }
  return inputs;
}

void Builder::build_node(Scope& scope, const NodeMessage& message) {
  check_cancelled();
  const std::string base = message.name.empty() ? cat(message.op, "_", num_nodes_++) : std::string(message.name);
  const std::string name = scope.target.names.fresh(scope.is_function ? cat(scope.prefix, base) : base);
  try {
    if (const FunctionMessage* function = functions_.find(message)) {
      build_call(scope, message, *function, name);
      return;
    }
    Node node;
    node.kind = *op_from_name(message.domain, message.op);
    node.name = name;
    build_operator(scope, message, std::move(node));
  } catch (const Error& error) {
    rethrow_with_place(error, {file_, name, std::string(message.op)});
  }
}

void Builder::build_operator(Scope& scope, const NodeMessage& message, Node node) {
  for (const AttributeMessage& attribute : message.attributes) {
    if (node.has(attribute.name)) throw ModelError(cat("attribute ", quoted(attribute.name), " is given twice"));
    const AttributeMessage* source = &attribute;
    if (!attribute.reference.empty()) {
      const auto bound = scope.attributes.find(attribute.reference);
      if (bound == scope.attributes.end()) {
        if (scope.is_function) continue;  // left out by the caller: the operator's default holds
        throw ModelError(cat("attribute ", quoted(attribute.name), " refers to a function's attribute outside of one"));
      }
      source = &bound->second;
    }
    node.set(std::string(attribute.name), decode_attribute(scope, *source));
  }
  if (node.kind == OpKind::Constant) {
    build_constant(scope, message, node);
    return;
  }
  node.inputs = find_inputs(scope, message);
  for (const std::string_view output : message.outputs) {
    ValueId id = ValueId::None;
    if (!output.empty()) {
      id = scope.target.graph.add_value(scope.value_name(output), declared_type(scope, output));
      scope.define(output, id);
    }
    node.outputs.push_back(id);
  }
  if (!message.doc.empty()) node.metadata["doc_string"] = message.doc;
  for (const auto& [key, value] : message.metadata) node.metadata[std::string(key)] = value;
  Upgrade upgrade(scope.target.graph, node, opset_of(scope.opsets, message.domain), scope.target.names);
  upgrade_node(upgrade);
  add_checked(scope, std::move(node));
  for (Node& more : upgrade.after) add_checked(scope, std::move(more));
}

void Builder::add_checked(Scope& scope, Node node) {
  Graph& graph = scope.target.graph;
  const OpInfo& info = op_info(node.kind);
  drop_absent_tail(node.inputs, info.min_inputs);
  drop_absent_tail(node.outputs, info.min_outputs);
  verify_node(graph, node);
  check_dtype_attributes(node);
  infer_outputs(graph, graph.node(graph.add_node(std::move(node))));
}

void Builder::build_constant(Scope& scope, const NodeMessage& message, const Node& node) {
  if (!message.inputs.empty() || message.outputs.size() != 1 || message.outputs[0].empty()) {
    throw ModelError(
        cat("has ", message.inputs.size(), " inputs and ", message.outputs.size(), " outputs, expected 0 and 1"));
  }
  add_constant(scope, message.outputs[0], constant_tensor(node));
}

Attribute Builder::decode_attribute(Scope& scope, const AttributeMessage& message) {
  switch (message.kind) {
    case AttributeKind::Float:
      return message.real;
    case AttributeKind::Int:
      return message.integer;
    case AttributeKind::String:
      return std::string(message.text);
    case AttributeKind::Floats:
      return message.reals;
    case AttributeKind::Ints:
      return message.integers;
    case AttributeKind::Strings:
      return std::vector<std::string>(message.texts.begin(), message.texts.end());
    case AttributeKind::Tensor:
      return decode_tensor(message.tensor, source_).tensor;
    case AttributeKind::SparseTensor:
      return decode_sparse_tensor(message.tensor, source_).tensor;
    case AttributeKind::Graph:
      return build_subgraph(scope, *message.graph);
    case AttributeKind::Type:
      return *message.type;
    default:
      break;
  }
  throw UnsupportedError(cat("attribute ", quoted(message.name), " is a list of tensors, graphs or types"));
}

Subgraph Builder::build_subgraph(Scope& scope, const GraphMessage& message) {
  const int depth = scope.target.depth + 1;
  if (depth > options_.max_depth) throw LimitError(cat("subgraphs are nested more than ", options_.max_depth, " deep"));
  auto graph = std::make_shared<Graph>();
  graph->source_file = file_;
  graph->name = message.name.empty() ? "subgraph" : std::string(message.name);
  graph->doc = message.doc;
  Target target{*graph, {}, {}, depth};
  Scope inner{target, &scope, scope.opsets, {}, {}, {}, {}, {}, false};
  inner.attributes = scope.attributes;
  fill(inner, message);
  return {std::move(graph), std::move(target.captured)};
}

Graph build_graph(const ModelMessage& model, const FunctionTable& functions, const ReadOptions& options,
                  const TensorSource& source, const std::string& file) {
  return Builder(model, functions, options, source, file).build();
}

}  // namespace adze::onnx
