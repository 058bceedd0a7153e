#include "adze/graph/graph.h"

#include <algorithm>
#include <charconv>
#include <queue>

#include "adze/base/text.h"

namespace adze {

std::string type_text(const ValueType& type) {
  if (type.kind == ValueType::Kind::Sequence) return cat("seq(", type.element ? type_text(*type.element) : "?", ")");
  if (type.kind == ValueType::Kind::Optional)
    return cat("optional(", type.element ? type_text(*type.element) : "?", ")");
  if (type.dtype == DType::Undefined && !type.shape) return "?";
  const std::string dtype = type.dtype == DType::Undefined ? "?" : std::string(dtype_name(type.dtype));
  return type.shape ? cat(dtype, shape_text(*type.shape)) : cat(dtype, "[*]");
}

const Attribute* Node::find(std::string_view attribute) const {
  for (const auto& [key, value] : attributes) {
    if (key == attribute) return &value;
  }
  return nullptr;
}

namespace {

/// The attribute's own value, else nothing. A value of another type is a bug: readers check against the schema.
template <typename T>
const T* typed(const Node& node, std::string_view name) {
  const Attribute* attribute = node.find(name);
  if (attribute == nullptr) return nullptr;
  if (const T* value = std::get_if<T>(attribute)) return value;
  throw InternalError(cat("attribute ", name, " of node ", node.name, " has another type than its schema"));
}

std::optional<std::string> default_of(const Node& node, std::string_view name) {
  const AttributeSchema* schema = find_attribute_schema(node.kind, name);
  return schema != nullptr ? schema->default_text : std::nullopt;
}

}  // namespace

std::int64_t Node::get_int(std::string_view attribute) const {
  if (const auto* value = typed<std::int64_t>(*this, attribute)) return *value;
  const auto text = default_of(*this, attribute);
  return text ? std::stoll(*text) : 0;
}

std::int64_t Node::get_int(std::string_view attribute, std::int64_t fallback) const {
  const auto* value = typed<std::int64_t>(*this, attribute);
  return value != nullptr ? *value : fallback;
}

float Node::get_float(std::string_view attribute) const {
  if (const auto* value = typed<float>(*this, attribute)) return *value;
  const auto text = default_of(*this, attribute);
  if (!text) return 0;
  float number = 0;
  std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

std::string Node::get_string(std::string_view attribute) const {
  if (const auto* value = typed<std::string>(*this, attribute)) return *value;
  return default_of(*this, attribute).value_or("");
}

std::vector<std::int64_t> Node::get_ints(std::string_view attribute) const {
  const auto* value = typed<std::vector<std::int64_t>>(*this, attribute);
  return value != nullptr ? *value : std::vector<std::int64_t>{};
}

std::vector<float> Node::get_floats(std::string_view attribute) const {
  const auto* value = typed<std::vector<float>>(*this, attribute);
  return value != nullptr ? *value : std::vector<float>{};
}

std::vector<std::string> Node::get_strings(std::string_view attribute) const {
  const auto* value = typed<std::vector<std::string>>(*this, attribute);
  return value != nullptr ? *value : std::vector<std::string>{};
}

void Node::set(std::string attribute, Attribute value) {
  const auto place = std::lower_bound(attributes.begin(), attributes.end(), attribute,
                                      [](const auto& pair, const std::string& key) { return pair.first < key; });
  if (place != attributes.end() && place->first == attribute) {
    place->second = std::move(value);
  } else {
    attributes.emplace(place, std::move(attribute), std::move(value));
  }
}

void Node::erase(std::string_view attribute) {
  std::erase_if(attributes, [&](const auto& pair) { return pair.first == attribute; });
}

ValueId Graph::add_value(std::string name, ValueType type) {
  values_.push_back({std::move(name), std::move(type), NodeId::None, std::nullopt, std::nullopt});
  return static_cast<ValueId>(num_values() - 1);
}

ValueId Graph::add_input(std::string name, ValueType type) {
  inputs_.push_back(add_value(std::move(name), std::move(type)));
  return inputs_.back();
}

ValueId Graph::add_constant(std::string name, Tensor tensor) {
  const ValueId id = add_value(std::move(name), ValueType::tensor(tensor.dtype(), symbolic(tensor.shape())));
  value(id).constant = std::move(tensor);
  return id;
}

ValueId Graph::add_capture(std::string name, ValueType type) {
  captures_.push_back(add_value(std::move(name), std::move(type)));
  return captures_.back();
}

ValueId Graph::find_value(std::string_view name) const {
  for (; indexed_values_ < values_.size(); ++indexed_values_) {
    by_name_.insert_or_assign(values_[indexed_values_].name, static_cast<ValueId>(indexed_values_));
  }
  const auto found = by_name_.find(name);
  if (found != by_name_.end() && value(found->second).name == name) return found->second;
  // Renamed since it was indexed: look at all of them once.
  for (std::size_t i = 0; i < values_.size(); ++i) {
    if (values_[i].name == name) {
      by_name_.insert_or_assign(std::string(name), static_cast<ValueId>(i));
      return static_cast<ValueId>(i);
    }
  }
  return ValueId::None;
}

void Graph::note_names() const {
  for (; noted_values_ < values_.size(); ++noted_values_) taken_.insert(values_[noted_values_].name);
  for (; noted_nodes_ < nodes_.size(); ++noted_nodes_) taken_.insert(nodes_[noted_nodes_].name);
  for (const std::int32_t id : accessed_values_) taken_.insert(values_[static_cast<std::size_t>(id)].name);
  for (const std::int32_t id : accessed_nodes_) taken_.insert(nodes_[static_cast<std::size_t>(id)].name);
  accessed_values_.clear();
  accessed_nodes_.clear();
}

std::string Graph::unique_name(std::string_view base) const {
  note_names();
  std::string stem(base.empty() ? "value" : base);
  if (!base.empty() && !taken_.contains(stem)) return stem;
  for (int& suffix = next_suffix_[stem];;) {
    std::string candidate = cat(stem, "_", ++suffix);
    if (!taken_.contains(candidate)) {
      --suffix;  // only taken when it is used: the next call looks again
      return candidate;
    }
  }
}

NodeId Graph::add_node(Node node) {
  const auto id = static_cast<NodeId>(nodes_.size());
  for (const ValueId output : node.outputs) {
    if (output == ValueId::None) continue;
    if (value(output).producer != NodeId::None || value(output).constant) {
      throw InternalError(cat("value ", value(output).name, " already has a producer"));
    }
    value(output).producer = id;
  }
  nodes_.push_back(std::move(node));
  return id;
}

ValueId Graph::add(OpKind kind, std::vector<ValueId> inputs, std::vector<std::pair<std::string, Attribute>> attributes,
                   std::string name, int num_outputs) {
  Node node;
  node.kind = kind;
  node.name = unique_name(name.empty() ? op_name(kind) : std::string_view(name));
  node.inputs = std::move(inputs);
  for (auto& [key, attribute] : attributes) node.set(std::move(key), std::move(attribute));
  for (int i = 0; i < num_outputs; ++i) {
    node.outputs.push_back(add_value(unique_name(num_outputs == 1 ? cat(node.name, ":0") : cat(node.name, ":", i))));
  }
  const ValueId first = node.output();
  add_node(std::move(node));
  return first;
}

std::vector<NodeId> Graph::node_ids() const {
  std::vector<NodeId> ids;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].alive) ids.push_back(static_cast<NodeId>(i));
  }
  return ids;
}

std::int64_t Graph::num_alive_nodes() const {
  return std::count_if(nodes_.begin(), nodes_.end(), [](const Node& node) { return node.alive; });
}

const Node* Graph::producer_of(ValueId id) const {
  if (id == ValueId::None || value(id).producer == NodeId::None) return nullptr;
  return &node(value(id).producer);
}

void Graph::remove_node(NodeId id) {
  Node& removed = node(id);
  for (const ValueId output : removed.outputs) {
    if (output != ValueId::None) value(output).producer = NodeId::None;
  }
  removed = Node{};
  removed.alive = false;
}

void Graph::compact() {
  const std::vector<NodeId> order = topological_order(*this);
  std::vector<ValueId> renumbered(values_.size(), ValueId::None);
  std::vector<Value> values;
  const auto keep = [&](ValueId& id) {
    if (id == ValueId::None) return;
    ValueId& target = renumbered[index(id)];
    if (target == ValueId::None) {
      target = static_cast<ValueId>(values.size());
      values.push_back(std::move(values_[index(id)]));
    }
    id = target;
  };
  for (ValueId& id : inputs_) keep(id);
  for (ValueId& id : captures_) keep(id);
  std::vector<Node> nodes;
  for (const NodeId id : order) {
    Node node = std::move(nodes_[index(id)]);
    for (ValueId& input : node.inputs) keep(input);
    for (auto& [key, attribute] : node.attributes) {
      if (auto* subgraph = std::get_if<Subgraph>(&attribute)) {
        for (ValueId& captured : subgraph->captured) keep(captured);
      }
    }
    for (ValueId& output : node.outputs) {
      keep(output);
      if (output != ValueId::None) values[index(output)].producer = static_cast<NodeId>(nodes.size());
    }
    nodes.push_back(std::move(node));
  }
  for (ValueId& id : outputs_) keep(id);
  values_ = std::move(values);
  nodes_ = std::move(nodes);
  by_name_.clear();
  indexed_values_ = noted_values_ = noted_nodes_ = 0;
  taken_.clear();
  next_suffix_.clear();
  accessed_values_.clear();
  accessed_nodes_.clear();
}

std::vector<ValueId> values_read(const Node& node) {
  std::vector<ValueId> read;
  for (const ValueId input : node.inputs) {
    if (input != ValueId::None) read.push_back(input);
  }
  for (const auto& [key, attribute] : node.attributes) {
    if (const auto* subgraph = std::get_if<Subgraph>(&attribute)) {
      read.insert(read.end(), subgraph->captured.begin(), subgraph->captured.end());
    }
  }
  return read;
}

std::vector<NodeId> topological_order(const Graph& graph) {
  std::vector<int> waiting(static_cast<std::size_t>(graph.num_nodes()), 0);
  std::vector<std::vector<NodeId>> readers(static_cast<std::size_t>(graph.num_nodes()));
  std::priority_queue<NodeId, std::vector<NodeId>, std::greater<>> ready;
  const std::vector<NodeId> ids = graph.node_ids();
  for (const NodeId id : ids) {
    for (const ValueId read : values_read(graph.node(id))) {
      const NodeId producer = graph.value(read).producer;
      if (producer == NodeId::None) continue;
      readers[static_cast<std::size_t>(producer)].push_back(id);
      ++waiting[static_cast<std::size_t>(id)];
    }
    if (waiting[static_cast<std::size_t>(id)] == 0) ready.push(id);
  }
  std::vector<NodeId> order;
  order.reserve(ids.size());
  while (!ready.empty()) {
    const NodeId id = ready.top();
    ready.pop();
    order.push_back(id);
    for (const NodeId reader : readers[static_cast<std::size_t>(id)]) {
      if (--waiting[static_cast<std::size_t>(reader)] == 0) ready.push(reader);
    }
  }
  if (order.size() != ids.size()) {
    for (const NodeId id : ids) {
      if (waiting[static_cast<std::size_t>(id)] > 0) {
        throw ModelError("the graph has a cycle", place_of(graph, graph.node(id)));
      }
    }
  }
  return order;
}

Uses::Uses(const Graph& graph)
    : consumers_(static_cast<std::size_t>(graph.num_values())),
      is_output_(static_cast<std::size_t>(graph.num_values()), false) {
  for (const NodeId id : graph.node_ids()) {
    for (const ValueId read : values_read(graph.node(id))) consumers_[static_cast<std::size_t>(read)].push_back(id);
  }
  for (const ValueId output : graph.outputs()) {
    if (output != ValueId::None) is_output_[static_cast<std::size_t>(output)] = true;
  }
}

void Uses::add(ValueId id, NodeId reader) {
  auto& readers = consumers_[static_cast<std::size_t>(id)];
  readers.insert(std::upper_bound(readers.begin(), readers.end(), reader), reader);
}

void Uses::remove(ValueId id, NodeId reader) {
  auto& readers = consumers_[static_cast<std::size_t>(id)];
  const auto found = std::find(readers.begin(), readers.end(), reader);
  if (found == readers.end()) throw InternalError("Uses::remove: the node does not read the value");
  readers.erase(found);
}

ErrorPlace place_of(const Graph& graph, const Node& node) {
  return {graph.source_file, node.name, std::string(op_name(node.kind))};
}

}  // namespace adze
