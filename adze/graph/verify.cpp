#include "adze/graph/verify.h"

#include <set>

#include "adze/base/text.h"

namespace adze {

namespace {

constexpr int max_depth = 64;

bool matches(const Attribute& attribute, AttributeType type) {
  switch (type) {
    case AttributeType::Int:
      return std::holds_alternative<std::int64_t>(attribute);
    case AttributeType::Float:
      return std::holds_alternative<float>(attribute);
    case AttributeType::String:
      return std::holds_alternative<std::string>(attribute);
    case AttributeType::Ints:
      return std::holds_alternative<std::vector<std::int64_t>>(attribute);
    case AttributeType::Floats:
      return std::holds_alternative<std::vector<float>>(attribute);
    case AttributeType::Strings:
      return std::holds_alternative<std::vector<std::string>>(attribute);
    case AttributeType::Tensor:
      return std::holds_alternative<Tensor>(attribute);
    case AttributeType::Graph:
      return std::holds_alternative<Subgraph>(attribute);
    case AttributeType::Type:
      return std::holds_alternative<ValueType>(attribute);
  }
  return false;
}

void check_count(std::size_t count, int least, int most, const char* what) {
  if (static_cast<int>(count) >= least && static_cast<int>(count) <= most) return;
  std::string expected = cat(least);
  if (most == any_count) {
    expected += " or more";
  } else if (most != least) {
    expected += cat(" to ", most);
  }
  throw ModelError(cat("has ", count, " ", what, ", expected ", expected));
}

void check_attributes(const Node& node) {
  for (const auto& [name, attribute] : node.attributes) {
    const AttributeSchema* schema = find_attribute_schema(node.kind, name);
    if (schema == nullptr) throw ModelError(cat("attribute ", quoted(name), " is not known for this operator"));
    if (!matches(attribute, schema->type)) throw ModelError(cat("attribute ", quoted(name), " has the wrong type"));
  }
  for (const AttributeSchema& schema : attribute_schemas(node.kind)) {
    if (schema.required && !node.has(schema.name)) {
      throw ModelError(cat("attribute ", quoted(schema.name), " is missing"));
    }
  }
}

}  // namespace

void verify_node(const Graph& graph, const Node& node) {
  const OpInfo& info = op_info(node.kind);
  check_count(node.inputs.size(), info.min_inputs, info.max_inputs, "inputs");
  check_count(node.outputs.size(), info.min_outputs, info.max_outputs, "outputs");
  check_attributes(node);
  const auto in_range = [&](ValueId id) {
    return static_cast<std::int32_t>(id) >= 0 && static_cast<std::int32_t>(id) < graph.num_values();
  };
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == ValueId::None && static_cast<int>(i) < info.min_inputs) {
      throw ModelError(cat("input ", i, " is left out, but required"));
    }
  }
  for (const ValueId id : node.outputs) {
    if (id != ValueId::None && !in_range(id)) throw InternalError("node output out of range");
  }
  for (const ValueId id : values_read(node)) {
    if (!in_range(id)) throw InternalError("node input out of range");
  }
}

namespace {

void verify_at_depth(const Graph& graph, int depth);

void check_subgraphs(const Graph& graph, const Node& node, int depth) {
  for (const auto& [name, attribute] : node.attributes) {
    const auto* subgraph = std::get_if<Subgraph>(&attribute);
    if (subgraph == nullptr) continue;
    if (subgraph->graph == nullptr) throw InternalError("subgraph attribute without graph");
    if (subgraph->captured.size() != subgraph->graph->captures().size()) {
      throw InternalError(cat("captures of ", name, " do not match in graph ", graph.name));
    }
    verify_at_depth(*subgraph->graph, depth + 1);
  }
}

void check_values(const Graph& graph) {
  std::vector<bool> available(static_cast<std::size_t>(graph.num_values()), false);
  const auto check_range = [&](ValueId id) {
    if (static_cast<std::int32_t>(id) >= graph.num_values() || static_cast<std::int32_t>(id) < -1) {
      throw InternalError(cat("the interface of graph ", graph.name, " names a value out of range"));
    }
  };
  for (const auto* list : {&graph.inputs(), &graph.captures(), &graph.outputs()}) {
    for (const ValueId id : *list) check_range(id);
  }
  const auto provide = [&](ValueId id, const char* what) {
    if (id == ValueId::None) throw InternalError(cat("an absent value is listed as ", what, " of graph ", graph.name));
    if (available[static_cast<std::size_t>(id)]) {
      throw ModelError(cat("value ", quoted(graph.value(id).name), " is defined twice (as ", what, ")"),
                       {graph.source_file, "", ""});
    }
    available[static_cast<std::size_t>(id)] = true;
  };
  std::set<std::string_view> names;
  for (std::int32_t i = 0; i < graph.num_values(); ++i) {
    const auto id = static_cast<ValueId>(i);
    if (graph.value(id).constant) provide(id, "constant");
  }
  for (const ValueId id : graph.inputs()) provide(id, "input");
  for (const ValueId id : graph.captures()) provide(id, "capture");
  for (const NodeId node_id : graph.node_ids()) {
    for (const ValueId id : graph.node(node_id).outputs) {
      if (id == ValueId::None) continue;
      provide(id, "output of a node");
      if (graph.value(id).producer != node_id) throw InternalError("producer of a value is wrong");
    }
  }
  for (std::int32_t i = 0; i < graph.num_values(); ++i) {
    if (!available[static_cast<std::size_t>(i)]) continue;
    const Value& value = graph.value(static_cast<ValueId>(i));
    if (!names.insert(value.name).second) {
      throw ModelError(cat("value name ", quoted(value.name), " is used twice"), {graph.source_file, "", ""});
    }
  }
  const auto require = [&](ValueId id, ErrorPlace place) {
    if (!available[static_cast<std::size_t>(id)]) {
      throw ModelError(cat("reads ", quoted(graph.value(id).name), ", which nothing computes"), std::move(place));
    }
  };
  for (const NodeId node_id : graph.node_ids()) {
    for (const ValueId id : values_read(graph.node(node_id))) require(id, place_of(graph, graph.node(node_id)));
  }
  for (const ValueId id : graph.outputs()) {
    if (id == ValueId::None) throw ModelError("a graph output is missing", {graph.source_file, "", ""});
    require(id, {graph.source_file, "graph output", ""});
  }
}

void verify_at_depth(const Graph& graph, int depth) {
  if (depth > max_depth) {
    throw LimitError(cat("subgraphs are nested more than ", max_depth, " deep"), {graph.source_file, "", ""});
  }
  for (const NodeId id : graph.node_ids()) {
    const Node& node = graph.node(id);
    try {
      verify_node(graph, node);
    } catch (const Error& error) {
      rethrow_with_place(error, place_of(graph, node));
    }
    check_subgraphs(graph, node, depth);
  }
  check_values(graph);
  topological_order(graph);
}

}  // namespace

void verify(const Graph& graph) {
  verify_at_depth(graph, 0);
}

}  // namespace adze
