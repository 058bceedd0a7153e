#include "adze/engine/graph_codec.h"

#include <algorithm>

#include "adze/base/text.h"

namespace adze::engine {

namespace {

void encode_dims(ByteWriter& to, const SymbolicShape& dims) {
  to.add(static_cast<std::uint32_t>(dims.size()));
  for (const Dim& dim : dims) {
    to.add(dim.value);
    to.add_text(dim.symbol);
  }
}

SymbolicShape decode_dims(ByteReader& from) {
  SymbolicShape dims(from.get_count());
  for (Dim& dim : dims) {
    dim.value = from.get<std::int64_t>();
    dim.symbol = from.get_text();
  }
  return dims;
}

/// Of a value.
enum Flags : std::uint8_t { has_constant = 1, has_dims = 2, is_capture = 4 };

[[noreturn]] void refuse(const char* what) {
  throw ModelError(cat("the file names a ", what, " that does not exist"));
}

/// Writes a graph and the graphs within it.
class Encoder {
 public:
  Encoder(ByteWriter& to, const TensorSink& tensors) : to_(to), tensors_(tensors) {}

  void graph(const Graph& graph) {
    for (const std::string* text : {&graph.name, &graph.doc, &graph.producer}) to_.add_text(*text);
    to_.add(static_cast<std::uint32_t>(graph.metadata.size()));
    for (const auto& [key, value] : graph.metadata) {
      to_.add_text(key);
      to_.add_text(value);
    }
    to_.add(graph.num_values());
    for (std::int32_t i = 0; i < graph.num_values(); ++i) {
      const auto id = static_cast<ValueId>(i);
      value(graph.value(id), std::ranges::find(graph.captures(), id) != graph.captures().end());
    }
    to_.add(graph.num_nodes());
    for (std::int32_t i = 0; i < graph.num_nodes(); ++i) node(graph.node(static_cast<NodeId>(i)));
    to_.add_list(graph.inputs());
    to_.add_list(graph.outputs());
  }

 private:
  void value(const Value& value, bool captured) {
    to_.add(static_cast<std::uint8_t>((value.constant ? has_constant : 0) | (value.dims ? has_dims : 0) |
                                      (captured ? is_capture : 0)));
    to_.add_text(value.name);
    encode_type(to_, value.type);
    if (value.constant) tensor(*value.constant);
    if (value.dims) encode_dims(to_, *value.dims);
  }

  void node(const Node& node) {
    to_.add(node.alive);
    if (!node.alive) return;
    to_.add(node.kind);
    to_.add_text(node.name);
    to_.add_list(node.inputs);
    to_.add_list(node.outputs);
    to_.add(static_cast<std::uint32_t>(node.attributes.size()));
    for (const auto& [name, attribute] : node.attributes) {
      to_.add_text(name);
      to_.add(static_cast<std::uint8_t>(attribute.index()));
      std::visit([this](const auto& content) { add(content); }, attribute);
    }
  }

  void tensor(const Tensor& tensor) {
    to_.add(tensor.dtype());
    to_.add_list(tensor.shape());
    tensors_(to_, tensor);
  }

  void add(std::int64_t number) { to_.add(number); }
  void add(float number) { to_.add(number); }
  void add(const std::string& text) { to_.add_text(text); }
  void add(const std::vector<std::int64_t>& numbers) { to_.add_list(numbers); }
  void add(const std::vector<float>& numbers) { to_.add_list(numbers); }
  void add(const std::vector<std::string>& texts) {
    to_.add(static_cast<std::uint32_t>(texts.size()));
    for (const std::string& text : texts) to_.add_text(text);
  }
  void add(const Tensor& content) { tensor(content); }
  void add(const Subgraph& subgraph) {
    graph(*subgraph.graph);
    to_.add_list(subgraph.captured);
  }
  void add(const ValueType& type) { encode_type(to_, type); }

  ByteWriter& to_;
  const TensorSink& tensors_;
};

class Decoder {
 public:
  Decoder(ByteReader& from, const TensorSource& tensors) : from_(from), tensors_(tensors) {}

  Graph graph() {
    constexpr int deepest = 64;
    if (++depth_ > deepest) throw ModelError("the file's subgraphs are nested too deeply");
    Graph graph;
    for (std::string* text : {&graph.name, &graph.doc, &graph.producer}) *text = from_.get_text();
    for (std::size_t left = from_.get_count(); left > 0; --left) {
      std::string key = from_.get_text();
      graph.metadata[std::move(key)] = from_.get_text();
    }
    for (std::size_t left = from_.get_count(); left > 0; --left) value(graph);
    for (std::size_t left = from_.get_count(); left > 0; --left) node(graph);
    graph.set_inputs(ids(graph, false));
    graph.set_outputs(ids(graph, false));
    --depth_;
    return graph;
  }

 private:
  std::vector<ValueId> ids(const Graph& graph, bool may_be_none) {
    auto list = from_.get_list<ValueId>();
    for (const ValueId id : list) {
      const auto index = static_cast<std::int32_t>(id);
      if (index >= graph.num_values() || index < (may_be_none ? -1 : 0)) refuse("value");
    }
    return list;
  }

  void value(Graph& graph) {
    const auto flags = from_.get<std::uint8_t>();
    std::string name = from_.get_text();
    ValueType type = decode_type(from_);
    const ValueId id = (flags & is_capture) != 0 ? graph.add_capture(std::move(name), std::move(type))
                                                 : graph.add_value(std::move(name), std::move(type));
    if ((flags & has_constant) != 0) graph.value(id).constant = tensor();
    if ((flags & has_dims) != 0) graph.value(id).dims = decode_dims(from_);
  }

  void node(Graph& graph) {
    if (!from_.get_flag()) return graph.remove_node(graph.add_node({}));
    Node node;
    node.kind = from_.get<OpKind>();
    if (static_cast<int>(node.kind) >= num_op_kinds) refuse("operator");
    node.name = from_.get_text();
    node.inputs = ids(graph, true);
    node.outputs = ids(graph, true);
    const std::size_t attributes = from_.get_count();
    node.attributes.reserve(attributes);
    for (std::size_t i = 0; i < attributes; ++i) {
      std::string name = from_.get_text();
      node.attributes.emplace_back(std::move(name), attribute(graph));
    }
    graph.add_node(std::move(node));
  }

  Tensor tensor() {
    const auto dtype = from_.get<DType>();
    return tensors_(from_, dtype, from_.get_list<std::int64_t>());
  }

  /// By the index of Attribute's alternatives.
  Attribute attribute(const Graph& graph) {
    switch (from_.get<std::uint8_t>()) {
      case 0:
        return from_.get<std::int64_t>();
      case 1:
        return from_.get<float>();
      case 2:
        return from_.get_text();
      case 3:
        return from_.get_list<std::int64_t>();
      case 4:
        return from_.get_list<float>();
      case 5: {
        std::vector<std::string> texts(from_.get_count());
        for (std::string& text : texts) text = from_.get_text();
        return texts;
      }
      case 6:
        return tensor();
      case 7: {
        Subgraph subgraph{std::make_shared<const Graph>(this->graph()), {}};
        subgraph.captured = ids(graph, false);
        return subgraph;
      }
      case 8:
        return decode_type(from_);
      default:
        refuse("kind of attribute");
    }
  }

  ByteReader& from_;
  const TensorSource& tensors_;
  int depth_ = 0;
};

}  // namespace

void encode_type(ByteWriter& to, const ValueType& type) {
  to.add(type.kind);
  to.add(type.dtype);
  to.add(type.shape.has_value());
  if (type.shape) encode_dims(to, *type.shape);
  to.add(type.element != nullptr);
  if (type.element) encode_type(to, *type.element);
}

ValueType decode_type(ByteReader& from) {
  ValueType type;
  type.kind = from.get<ValueType::Kind>();
  type.dtype = from.get<DType>();
  if (from.get_flag()) type.shape = decode_dims(from);
  if (from.get_flag()) type.element = std::make_shared<const ValueType>(decode_type(from));
  return type;
}

void encode_graph(ByteWriter& to, const Graph& graph, const TensorSink& tensors) {
  Encoder(to, tensors).graph(graph);
}

Graph decode_graph(ByteReader& from, const TensorSource& tensors) {
  return Decoder(from, tensors).graph();
}

}  // namespace adze::engine
