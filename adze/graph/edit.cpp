#include "adze/graph/edit.h"

#include <algorithm>
#include <map>
#include <set>

#include "adze/base/text.h"
#include "adze/graph/infer.h"

namespace adze {

GraphEdit::GraphEdit(const Graph& graph, std::string why)
    : why_(std::move(why)), first_new_value_(graph.num_values()) {}

ValueId GraphEdit::add_constant(std::string_view name, Tensor tensor) {
  values_.push_back({std::string(name), std::move(tensor)});
  return static_cast<ValueId>(first_new_value_ + static_cast<std::int32_t>(values_.size()) - 1);
}

ValueId GraphEdit::add_node(OpKind kind, std::vector<ValueId> inputs,
                            std::vector<std::pair<std::string, Attribute>> attributes, std::string_view name,
                            int num_outputs) {
  Node node;
  node.kind = kind;
  node.name = name.empty() ? op_name(kind) : name;
  node.inputs = std::move(inputs);
  for (auto& [key, attribute] : attributes) node.set(std::move(key), std::move(attribute));
  for (int i = 0; i < num_outputs; ++i) {
    values_.push_back({cat(node.name, ":", i), std::nullopt});
    node.outputs.push_back(static_cast<ValueId>(first_new_value_ + static_cast<std::int32_t>(values_.size()) - 1));
  }
  nodes_.push_back(std::move(node));
  return nodes_.back().output();
}

void GraphEdit::replace(ValueId old_value, ValueId new_value) {
  replacements_.emplace_back(old_value, new_value);
}

void GraphEdit::set_input(NodeId node, std::size_t index, ValueId value) {
  inputs_.push_back({node, index, value});
}

void GraphEdit::set_attribute(NodeId node, std::string name, Attribute value) {
  attributes_.push_back({node, std::move(name), std::move(value)});
}

void GraphEdit::erase_attribute(NodeId node, std::string name) {
  attributes_.push_back({node, std::move(name), std::nullopt});
}

void GraphEdit::remove(NodeId node) {
  removals_.push_back(node);
}

namespace {

/// Does value depend on one of the nodes? known_safe: a value that certainly does not; looked at first, nearby only,
/// because most edits read what the old value read.
bool depends_on_any(const Graph& graph, ValueId value, const std::set<NodeId>& nodes, ValueId known_safe) {
  std::set<ValueId> safe;
  constexpr std::size_t nearby = 48;
  std::vector<ValueId> queue;
  if (known_safe != ValueId::None) queue.push_back(known_safe);
  for (std::size_t i = 0; i < queue.size() && i < nearby; ++i) {
    if (!safe.insert(queue[i]).second) continue;
    if (const Node* producer = graph.producer_of(queue[i])) {
      for (const ValueId read : values_read(*producer)) queue.push_back(read);
    }
  }
  std::vector<bool> seen(static_cast<std::size_t>(graph.num_nodes()), false);
  std::vector<ValueId> stack = {value};
  while (!stack.empty()) {
    const ValueId at = stack.back();
    stack.pop_back();
    if (at == ValueId::None || safe.contains(at)) continue;
    const NodeId producer = graph.value(at).producer;
    if (producer == NodeId::None || seen[static_cast<std::size_t>(producer)]) continue;
    if (nodes.contains(producer)) return true;
    seen[static_cast<std::size_t>(producer)] = true;
    for (const ValueId read : values_read(graph.node(producer))) stack.push_back(read);
  }
  return false;
}

/// Replaces one value among those that the node reads.
void reread(Node& node, ValueId from, ValueId to) {
  std::replace(node.inputs.begin(), node.inputs.end(), from, to);
  for (auto& [key, attribute] : node.attributes) {
    if (auto* subgraph = std::get_if<Subgraph>(&attribute)) {
      std::replace(subgraph->captured.begin(), subgraph->captured.end(), from, to);
    }
  }
}

}  // namespace

/// One call of apply().
class EditApplication {
 public:
  EditApplication(Graph& graph, Uses& uses, const GraphEdit& edit) : graph_(graph), uses_(uses), edit_(edit) {}

  std::vector<NodeId> run() {
    if (edit_.first_new_value_ != graph_.num_values()) fail("was made for another graph, or before another edit");
    add_new();
    change_nodes();
    for (const auto& [old_value, new_value] : edit_.replacements_) replace(old_value, new_value);
    for (const NodeId id : edit_.removals_) {
      for (const ValueId output : graph_.node(id).outputs) {
        if (output != ValueId::None && !uses_.none(output)) {
          fail(cat("removes node ", quoted(graph_.node(id).name), ", whose output is still read"));
        }
      }
      remove(id);
    }
    remove_unread();
    std::erase_if(touched_, [&](NodeId id) { return !std::as_const(graph_).node(id).alive; });
    return std::move(touched_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw InternalError(cat("edit ", quoted(edit_.why()), " ", what));
  }

  void add_new() {
    for (const GraphEdit::NewValue& value : edit_.values_) {
      const std::string name = graph_.unique_name(value.name);
      if (value.constant) {
        graph_.add_constant(name, *value.constant);
      } else {
        graph_.add_value(name);
      }
    }
    uses_.grow(graph_);
    for (Node node : edit_.nodes_) {
      node.name = graph_.unique_name(node.name);
      const NodeId id = graph_.add_node(std::move(node));
      for (const ValueId read : values_read(graph_.node(id))) uses_.add(read, id);
      infer_outputs(id);
      touched_.push_back(id);
    }
  }

  InferContext infer(const Node& node) const {
    try {
      return infer_node(graph_, node);
    } catch (const ModelError& error) {
      fail(cat("makes a wrong node: ", error.what()));
    }
  }

  void infer_outputs(NodeId id) {
    const Node& node = std::as_const(graph_).node(id);
    InferContext context = infer(node);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == ValueId::None) continue;
      Value& value = graph_.value(node.outputs[i]);
      value.type = merge(value, value.type, context.output_types[i]);
      value.dims = std::move(context.output_dims[i]);
    }
  }

  ValueType merge(const Value& value, const ValueType& before, const ValueType& now) const {
    try {
      return merge_types(before, now);
    } catch (const ModelError&) {
      fail(cat("turns ", quoted(value.name), " from ", type_text(before), " into ", type_text(now)));
    }
  }

  void change_nodes() {
    std::map<NodeId, Node> changed;
    const auto edited = [&](NodeId id) -> Node& {
      const Node& node = std::as_const(graph_).node(id);
      if (!node.alive) fail("changes a node that was removed");
      return changed.try_emplace(id, node).first->second;
    };
    for (const GraphEdit::AttributeChange& change : edit_.attributes_) {
      Node& node = edited(change.node);
      if (change.value) {
        node.set(change.name, *change.value);
      } else {
        node.erase(change.name);
      }
    }
    for (const GraphEdit::Input& input : edit_.inputs_) {
      Node& node = edited(input.node);
      if (input.index >= node.inputs.size()) node.inputs.resize(input.index + 1, ValueId::None);
      if (depends_on_any(graph_, input.value, {input.node}, node.inputs[input.index])) {
        fail(cat("makes a cycle through node ", quoted(node.name)));
      }
      node.inputs[input.index] = input.value;
    }
    for (auto& [id, node] : changed) exchange(id, std::move(node));
  }

  void exchange(NodeId id, Node node) {
    for (const ValueId read : values_read(std::as_const(graph_).node(id))) {
      uses_.remove(read, id);
      lost_reader(read);
    }
    graph_.node(id) = std::move(node);
    for (const ValueId read : values_read(std::as_const(graph_).node(id))) uses_.add(read, id);
    infer_outputs(id);
    touched_.push_back(id);
  }

  void replace(ValueId old_value, ValueId new_value) {
    if (old_value == new_value) return;
    std::set<NodeId> readers(uses_.of(old_value).begin(), uses_.of(old_value).end());
    std::erase_if(readers, [&](NodeId id) { return static_cast<std::int32_t>(id) >= first_new_node_; });
    if (depends_on_any(graph_, new_value, readers, old_value)) {
      fail(cat("makes a cycle: ", quoted(graph_.value(new_value).name), " depends on a reader of ",
               quoted(graph_.value(old_value).name)));
    }
    const ValueType type = merge(std::as_const(graph_).value(old_value), std::as_const(graph_).value(old_value).type,
                                 std::as_const(graph_).value(new_value).type);
    if (!graph_.constant(new_value)) graph_.value(new_value).type = type;
    if (!graph_.value(new_value).dims) graph_.value(new_value).dims = graph_.value(old_value).dims;
    for (const NodeId id : readers) {
      for (const ValueId read : values_read(std::as_const(graph_).node(id))) {
        if (read != old_value) continue;
        uses_.remove(old_value, id);
        uses_.add(new_value, id);
      }
      reread(graph_.node(id), old_value, new_value);
      touched_.push_back(id);
    }
    if (uses_.is_output(old_value) && !is_interface(old_value)) replace_output(old_value, new_value);
    lost_reader(old_value);
    if (const NodeId producer = graph_.value(new_value).producer; producer != NodeId::None)
      touched_.push_back(producer);
  }

  bool is_interface(ValueId id) const {
    const auto holds = [&](const std::vector<ValueId>& ids) {
      return std::find(ids.begin(), ids.end(), id) != ids.end();
    };
    return holds(graph_.inputs()) || holds(graph_.captures());
  }

  void replace_output(ValueId old_value, ValueId new_value) {
    if (graph_.value(new_value).producer == NodeId::None || uses_.is_output(new_value)) {
      const ValueType type = graph_.value(new_value).type;
      const ValueId copy = graph_.add_value(graph_.unique_name(graph_.value(old_value).name), type);
      uses_.grow(graph_);
      Node identity;
      identity.kind = OpKind::Identity;
      identity.name = graph_.unique_name(cat(graph_.value(old_value).name, "_identity"));
      identity.inputs = {new_value};
      identity.outputs = {copy};
      const NodeId id = graph_.add_node(std::move(identity));
      uses_.add(new_value, id);
      new_value = copy;
    }
    std::swap(graph_.value(old_value).name, graph_.value(new_value).name);
    std::vector<ValueId> outputs = graph_.outputs();
    std::replace(outputs.begin(), outputs.end(), old_value, new_value);
    graph_.set_outputs(std::move(outputs));
    uses_.set_output(old_value, false);
    uses_.set_output(new_value, true);
  }

  void lost_reader(ValueId id) {
    const NodeId producer = graph_.value(id).producer;
    if (producer == NodeId::None) return;
    touched_.push_back(producer);
    if (uses_.none(id)) suspects_.push_back(producer);
  }

  void remove(NodeId id) {
    if (!std::as_const(graph_).node(id).alive) return;
    const std::vector<ValueId> reads = values_read(std::as_const(graph_).node(id));
    for (const ValueId read : reads) uses_.remove(read, id);
    graph_.remove_node(id);
    for (const ValueId read : reads) lost_reader(read);
  }

  void remove_unread() {
    while (!suspects_.empty()) {
      const NodeId id = suspects_.back();
      suspects_.pop_back();
      const Node& node = std::as_const(graph_).node(id);
      if (node.alive && std::all_of(node.outputs.begin(), node.outputs.end(),
                                    [&](ValueId output) { return output == ValueId::None || uses_.none(output); })) {
        remove(id);
      }
    }
  }

  Graph& graph_;
  Uses& uses_;
  const GraphEdit& edit_;
  const std::int32_t first_new_node_ = graph_.num_nodes();
  std::vector<NodeId> touched_, suspects_;
};

std::vector<NodeId> apply(Graph& graph, Uses& uses, const GraphEdit& edit) {
  return EditApplication(graph, uses, edit).run();
}

void apply(Graph& graph, const GraphEdit& edit) {
  Uses uses(graph);
  apply(graph, uses, edit);
}

int remove_dead_nodes(Graph& graph) {
  std::vector<bool> needed(static_cast<std::size_t>(graph.num_nodes()), false);
  std::vector<ValueId> stack = graph.outputs();
  while (!stack.empty()) {
    const ValueId id = stack.back();
    stack.pop_back();
    if (id == ValueId::None) continue;
    const NodeId producer = std::as_const(graph).value(id).producer;
    if (producer == NodeId::None || needed[static_cast<std::size_t>(producer)]) continue;
    needed[static_cast<std::size_t>(producer)] = true;
    for (const ValueId read : values_read(std::as_const(graph).node(producer))) stack.push_back(read);
  }
  int removed = 0;
  for (const NodeId id : graph.node_ids()) {
    if (needed[static_cast<std::size_t>(id)]) continue;
    graph.remove_node(id);
    ++removed;
  }
  return removed;
}

}  // namespace adze
