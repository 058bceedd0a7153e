#include <algorithm>
#include <set>
#include <string>

#include "adze/base/text.h"
#include "adze/formats/onnx/encode.h"
#include "adze/formats/onnx/messages.h"
#include "adze/formats/onnx/packed_codes.h"

namespace adze::onnx {

namespace {

constexpr std::string_view doc_key = "doc_string";

bool is_complete(const ValueType& type) {
  if (!type.is_tensor()) return type.element != nullptr && is_complete(*type.element);
  return type.dtype != DType::Undefined;
}

WireMessage encode_value(std::string_view name, const ValueType& type) {
  WireMessage message;
  message.add_text(1, name);
  if (is_complete(type)) message.add_message(2, encode_type(type));
  return message;
}

WireMessage encode_property(std::string_view key, std::string_view value) {
  WireMessage message;
  message.add_text(1, key);
  message.add_text(2, value);
  return message;
}

/// Encodes graphs into graphs. Names of inner values must differ from those of all graphs around, which they see.
class GraphEncoder {
 public:
  GraphEncoder(bool node_metadata, ExternalPlan* external, const WriteOptions& options)
      : node_metadata_(node_metadata), external_(external), options_(options) {}

  /// captured: the names that the graph's captures have outside.
  WireMessage encode(const Graph& graph, const std::vector<std::string>& captured);
  /// Did a graph call the function that unpacks codes?
  bool unpacks() const { return unpacks_; }

 private:
  using Names = std::vector<std::string>;  ///< by value id

  Names choose_names(const Graph& graph, const std::vector<std::string>& captured);
  std::string fresh(const std::string& base);
  std::string fresh_node_name(const std::string& base);
  WireMessage encode_node(const Graph& graph, const Node& node, const Names& names);
  WireMessage encode_attribute(const std::string& name, const Attribute& attribute, const Names& names);
  void encode_constants(const Graph& graph, const std::vector<NodeId>& order, const Names& names, WireMessage& message);
  bool encode_packed(const Tensor& constant, const std::string& name, WireMessage& message);
  void encode_outputs(const Graph& graph, const Names& names, WireMessage& message);
  WireMessage encode_identity(const std::string& from, const std::string& to);

  bool node_metadata_;
  ExternalPlan* external_;
  const WriteOptions& options_;
  bool unpacks_ = false;
  std::set<std::string> visible_;     ///< names of this graph and those around it
  std::set<std::string> node_names_;  ///< of the whole model: ONNX Runtime refuses two nodes of one name
};

std::string GraphEncoder::fresh_node_name(const std::string& base) {
  if (base.empty() || node_names_.insert(base).second) return base;
  for (int i = 1;; ++i) {
    std::string name = cat(base, "_", i);
    if (node_names_.insert(name).second) return name;
  }
}

std::string GraphEncoder::fresh(const std::string& base) {
  if (!base.empty() && visible_.insert(base).second) return base;
  for (int i = 1;; ++i) {
    std::string name = cat(base.empty() ? "value" : base, "_", i);
    if (visible_.insert(name).second) return name;
  }
}

GraphEncoder::Names GraphEncoder::choose_names(const Graph& graph, const std::vector<std::string>& captured) {
  std::vector<bool> is_used(static_cast<std::size_t>(graph.num_values()), false);
  const auto use = [&](ValueId id) {
    if (id != ValueId::None) is_used[static_cast<std::size_t>(id)] = true;
  };
  for (const NodeId id : graph.node_ids()) {
    for (const ValueId read : values_read(graph.node(id))) use(read);
    for (const ValueId output : graph.node(id).outputs) use(output);
  }
  for (const ValueId id : graph.inputs()) use(id);
  for (const ValueId id : graph.outputs()) use(id);
  Names names(is_used.size());
  for (std::size_t i = 0; i < captured.size(); ++i) {
    const auto id = static_cast<std::size_t>(graph.captures()[i]);
    names[id] = captured[i];
    is_used[id] = false;
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (is_used[i]) names[i] = fresh(graph.value(static_cast<ValueId>(i)).name);
  }
  return names;
}

WireMessage GraphEncoder::encode_attribute(const std::string& name, const Attribute& attribute, const Names& names) {
  const auto* subgraph = std::get_if<Subgraph>(&attribute);
  if (subgraph == nullptr) return onnx::encode_attribute(name, attribute);
  std::vector<std::string> captured;
  for (const ValueId id : subgraph->captured) captured.push_back(names[static_cast<std::size_t>(id)]);
  WireMessage message;
  message.add_text(1, name);
  message.add_message(6, encode(*subgraph->graph, captured));
  message.add_integer(20, static_cast<std::int64_t>(AttributeKind::Graph));
  return message;
}

WireMessage GraphEncoder::encode_node(const Graph& graph, const Node& node, const Names& names) {
  const OpInfo& info = op_info(node.kind);
  if (info.domain == Domain::Adze) {
    throw UnsupportedError("operators of domain adze are not written to ONNX", place_of(graph, node));
  }
  WireMessage message;
  const auto name_of = [&](ValueId id) {
    return id == ValueId::None ? std::string_view() : std::string_view(names[static_cast<std::size_t>(id)]);
  };
  for (const ValueId id : node.inputs) message.add_text(1, name_of(id));
  for (const ValueId id : node.outputs) message.add_text(2, name_of(id));
  message.add_text(3, fresh_node_name(node.name));
  message.add_text(4, info.name);
  for (const auto& [name, attribute] : node.attributes) {
    message.add_message(5, encode_attribute(name, attribute, names));
  }
  for (const auto& [key, value] : node.metadata) {
    if (key == doc_key) message.add_text(6, value);
  }
  if (info.domain != Domain::Onnx) message.add_text(7, domain_name(info.domain));
  for (const auto& [key, value] : node.metadata) {
    if (key != doc_key && node_metadata_) message.add_message(9, encode_property(key, value));
  }
  return message;
}

/// Weights of one or two bits, and the node that unpacks them.
bool GraphEncoder::encode_packed(const Tensor& constant, const std::string& name, WireMessage& message) {
  const auto packed = pack_codes(constant);
  if (!packed) return false;
  const std::string bytes = fresh(cat(name, "_packed"));
  message.add_message(5, encode_tensor(packed->bytes, bytes, external_));
  message.add_message(1, encode_unpacking(*packed, constant.shape(), bytes, name));
  unpacks_ = true;
  return true;
}

/// The constants that something reads, in the order of first use.
void GraphEncoder::encode_constants(const Graph& graph, const std::vector<NodeId>& order, const Names& names,
                                    WireMessage& message) {
  constexpr int first_opset_with_bitwise_and = 18;
  std::vector<bool> is_written(names.size(), false), packable(names.size(), false);
  if (options_.packed_codes && options_.opset >= first_opset_with_bitwise_and) packable = packable_constants(graph);
  const auto write = [&](ValueId id) {
    const auto index = static_cast<std::size_t>(id);
    const Tensor* constant = graph.constant(id);
    if (constant == nullptr || is_written[index]) return;
    is_written[index] = true;
    if (packable[index] && encode_packed(*constant, names[index], message)) return;
    if (options_.sparse) {
      if (auto sparse = encode_sparse_tensor(*constant, names[index])) {
        return message.add_message(15, std::move(*sparse));
      }
    }
    message.add_message(5, encode_tensor(*constant, names[index], external_));
  };
  for (const NodeId id : order) {
    for (const ValueId read : values_read(graph.node(id))) write(read);
  }
  for (const ValueId id : graph.outputs()) write(id);
}

WireMessage GraphEncoder::encode_identity(const std::string& from, const std::string& to) {
  WireMessage node;
  node.add_text(1, from);
  node.add_text(2, to);
  node.add_text(3, cat(to, "_identity"));
  node.add_text(4, "Identity");
  return node;
}

/// A subgraph may not give a value of the graph around it as its output: Identity makes it its own.
void GraphEncoder::encode_outputs(const Graph& graph, const Names& names, WireMessage& message) {
  std::vector<std::pair<std::string, ValueType>> outputs;
  for (const ValueId id : graph.outputs()) {
    std::string name = names[static_cast<std::size_t>(id)];
    const bool is_capture = std::find(graph.captures().begin(), graph.captures().end(), id) != graph.captures().end();
    if (is_capture) {
      std::string own = fresh(graph.value(id).name);
      message.add_message(1, encode_identity(name, own));
      name = std::move(own);
    }
    outputs.emplace_back(std::move(name), graph.value(id).type);
  }
  for (const auto& [name, type] : outputs) message.add_message(12, encode_value(name, type));
}

WireMessage GraphEncoder::encode(const Graph& graph, const std::vector<std::string>& captured) {
  const std::set<std::string> around = visible_;
  const Names names = choose_names(graph, captured);
  const std::vector<NodeId> order = topological_order(graph);
  WireMessage message;
  message.add_text(2, graph.name);
  if (!graph.doc.empty()) message.add_text(10, graph.doc);
  encode_constants(graph, order, names, message);
  for (const ValueId id : graph.inputs()) {
    message.add_message(11, encode_value(names[static_cast<std::size_t>(id)], graph.value(id).type));
  }
  for (const NodeId id : order) message.add_message(1, encode_node(graph, graph.node(id), names));
  encode_outputs(graph, names, message);
  const std::set<ValueId> interface(graph.outputs().begin(), graph.outputs().end());
  for (const NodeId id : order) {
    for (const ValueId output : graph.node(id).outputs) {
      if (output == ValueId::None || interface.contains(output) || !is_complete(graph.value(output).type)) continue;
      message.add_message(13, encode_value(names[static_cast<std::size_t>(output)], graph.value(output).type));
    }
  }
  visible_ = around;
  return message;
}

bool uses_training(const Graph& graph) {
  for (const NodeId id : graph.node_ids()) {
    if (op_info(graph.node(id).kind).domain == Domain::Training) return true;
    for (const auto& [name, attribute] : graph.node(id).attributes) {
      const auto* subgraph = std::get_if<Subgraph>(&attribute);
      if (subgraph != nullptr && uses_training(*subgraph->graph)) return true;
    }
  }
  return false;
}

/// The IR version of the ONNX release that brought the opset; 4 at least, where initializers need not be inputs.
int ir_version_for(int opset) {
  if (opset >= 21) return 10;
  if (opset >= 19) return 9;
  if (opset >= 15) return 8;
  if (opset >= 12) return 7;
  if (opset >= 11) return 6;
  return opset >= 10 ? 5 : 4;
}

WireMessage encode_opset(std::string_view domain, std::int64_t version) {
  WireMessage message;
  message.add_text(1, domain);
  message.add_integer(2, version);
  return message;
}

}  // namespace

WireMessage encode_model(const Graph& graph, const WriteOptions& options, ExternalPlan* external) {
  constexpr int first_ir_with_node_metadata = 10;
  const int ir_version = ir_version_for(options.opset);
  WireMessage model;
  model.add_integer(1, ir_version);
  model.add_text(2, graph.producer.empty() ? "adze" : graph.producer);
  GraphEncoder encoder(ir_version >= first_ir_with_node_metadata, external, options);
  model.add_message(7, encoder.encode(graph, {}));
  model.add_message(8, encode_opset("", options.opset));
  if (encoder.unpacks()) {
    model.add_message(8, encode_opset(packed_codes_domain, 1));
    model.add_message(25, encode_unpack_function(options.opset));
  }
  if (uses_training(graph)) model.add_message(8, encode_opset(domain_name(Domain::Training), 1));
  for (const auto& [key, value] : graph.metadata) model.add_message(14, encode_property(key, value));
  return model;
}

}  // namespace adze::onnx
